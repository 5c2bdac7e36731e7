"""Sign-ons that fail again and again, a session that goes on elsewhere, a patient of another department."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.access.policy import load_policy
from lab.errors import UsageError
from lab.hospital.codes import who_has_codes
from lab.hospital.directory import Directory
from lab.hospital.hospital import Actor
from lab.hospital.sign_on import SignOn
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.monitoring.cases import of_case
from lab.scenarios.monitoring.deed import Attempt, Deed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scenarios.monitoring.facts import Scene
    from lab.topology.site import Site

READING = Actor("reading")
FAILURES = 6
"""The rule counts five in ten minutes."""


def _idle(site: Site) -> list[str]:
    """People whom a sign-on that has to wait keeps from nothing: those whom the policy lets do least.

    Raises:
        NothingToJudge: the site has no two people who sign in.
    """
    policy, people = load_policy(), site.topology.people

    def rights(name: str) -> int:
        return sum(policy.scope(people[name].roles, action) is not None for action in policy.actions)

    found = sorted(who_has_codes(site), key=rights)[:2]
    if len(found) < 2:  # noqa: PLR2004 # one for each half: who has failed has to wait
        raise NothingToJudge("the site has no two people who sign in with a one-time password")
    return found


def _guessing(stage: Scene) -> Attempt:
    try:
        sign_on, directory = SignOn.of(stage.lab), Directory.of(stage.lab)
    except UsageError as error:
        raise NothingToJudge(error.message) from error
    stage.acts(sign_on.caller)
    people = _idle(stage.hospital.site)
    turns = iter(people)

    @contextmanager
    def guess() -> Iterator[str]:
        person = next(turns)
        try:
            visits = [sign_on.sign_in(person, f"a guess, number {number}") for number in range(FAILURES)]
            require(not any(visit.signed_in for visit in visits), f"a guess signed {person} in")
            yield f"{FAILURES} sign-ons of {person} failed"
        finally:
            stage.hospital.run(directory.host, ["samba-tool", "user", "unlock", person])
            sign_on.unlock(person)

    return Attempt(guess, frozenset(people))


DEEDS = (
    Deed(
        "failed-sign-ons", "Sign-on: a person's sign-on fails again and again", READING, "", "sign-ons-failed",
        _guessing,
    ),
    of_case("session-elsewhere", "abuse.viewer-stolen-session", READING, "session-elsewhere"),
    of_case("foreign-study", "abuse.viewer-foreign-study", READING, "patient-of-others"),
)  # fmt: skip
