"""What the steps of the scenario leave for each other, and what the policy says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.access.policy import Scope, load_policy
from lab.hospital.codes import who_has_codes

if TYPE_CHECKING:
    from lab.scenarios.examination.course import Examination
    from lab.topology.site import Site


@dataclass(frozen=True)
class Case:
    """An examination that people try to do something with: who ordered it, and the department that it was done in."""

    done: Examination
    orderer: str
    department: str


@dataclass(repr=False)
class IdentityFacts:
    """What the steps leave for later ones.

    Attributes:
        cases: One examination in each of two departments.
        sessions: The cookies of those who are signed in at the viewer, by person.
        visit: The same of somebody of a partner.
    """

    cases: tuple[Case, Case] = field(init=False)
    sessions: dict[str, str] = field(init=False)
    visit: str = field(init=False)


def different_people(site: Site) -> list[str]:
    """Somebody for each set of roles in each department: people who may do different things, with a code to show."""
    found: dict[tuple[frozenset[str], str], str] = {}
    for name in sorted(who_has_codes(site)):
        person = site.topology.people[name]
        found.setdefault((frozenset(person.roles), person.department), name)
    return sorted(found.values())


def actions_at(site: Site, person: str, place: str) -> set[str]:
    """What a person may do at a place at all."""
    policy = load_policy()
    roles = site.topology.people[person].roles
    return {name for name, action in policy.actions.items() if action.at == place and policy.scope(roles, name)}


def may(site: Site, person: str, action: str, case: Case) -> bool:
    """Whether the policy lets a person do something with an examination that the person's department did or ordered."""
    people = site.topology.people
    scope = load_policy().scope(people[person].roles, action)
    if scope is Scope.DEPARTMENT:
        return people[person].department in {case.department, people[case.orderer].department}
    return scope is Scope.ALL or (scope is Scope.TREATMENT and person == case.orderer)
