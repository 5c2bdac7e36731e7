"""Rules about the people of a site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.access.policy import load_policy
from lab.topology.problems import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft

TAKEN = frozenset({"administrator", "emergency", "guest", "krbtgt", "nobody", "root"})
"""Names that a directory or a host keeps for itself, and that of the sealed account for emergencies."""


def names_are_free(draft: Draft) -> Iterator[Problem]:
    """A person is not called as an account that directories and hosts bring, nor as a host."""
    for name in draft.people:
        if name in TAKEN or name in draft.host_names:
            owner = "a host" if name in draft.host_names else "an account that is there already"
            yield draft.source.problem(
                ("people", name), f"{name} is the name of {owner}.", "Give the person another name to sign in with."
            )


def roles_are_known(draft: Draft) -> Iterator[Problem]:
    """A person has roles of the policy, each once."""
    known = load_policy().roles
    for name, person in draft.people.items():
        for position, role in enumerate(person.roles):
            where = ("people", name, "roles", position)
            if role not in known:
                yield draft.source.problem(where, f"Role {role} does not exist.", choose(role, known, "Known"))
            elif role in person.roles[:position]:
                yield draft.source.problem(where, f"{name} has role {role} twice.", "Remove one of the two.")


def separate_duties_stay_separate(draft: Draft) -> Iterator[Problem]:
    """Nobody holds two duties that one person may not have (AC-5)."""
    policy = load_policy()
    for name, person in draft.people.items():
        for separation in policy.broken(person.roles):
            one, other = policy.culprits(person.roles, separation)
            yield draft.source.problem(
                ("people", name, "roles"),
                f"{name} may not be both {one} and {other}: {separation.why}.",
                "Give one of the two roles to somebody else.",
            )
