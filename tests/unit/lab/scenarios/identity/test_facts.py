"""What the scenario expects of people is what the policy says, and it looks at everybody who differs."""

from __future__ import annotations

import pytest

from lab.scenarios.examination.course import Examination
from lab.scenarios.identity.facts import Case, actions_at, different_people, may
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")
CT = Case(Examination("P1", "O1", "A1", "2.25.1", "ct1", "pacs-rad"), "n.okafor", "Radiology")
ECHO = Case(Examination("P2", "O2", "A2", "2.25.2", "echo1", "pacs-card"), "n.okafor", "Cardiology")


@pytest.mark.parametrize(
    ("action", "case", "people"),
    [
        ("view-images", CT, {"a.rivera", "m.haddad", "q.lindqvist", "n.okafor"}),
        ("view-images", ECHO, {"s.moreau", "n.okafor"}),
        ("report", CT, {"a.rivera"}),
        ("report", ECHO, {"s.moreau"}),
        ("read-report", ECHO, {"s.moreau", "n.okafor"}),
        ("schedule", CT, {"m.haddad"}),
        ("schedule", ECHO, set()),
        ("place-order", CT, {"n.okafor", "d.weiss"}),
        ("register-patient", CT, {"r.silva"}),
        ("break-glass", CT, {"a.rivera", "s.moreau", "n.okafor", "d.weiss"}),
    ],
)
def test_the_policy_decides_by_role_department_and_treatment(action: str, case: Case, people: set[str]) -> None:
    assert {person for person in different_people(SITE) if may(SITE, person, action, case)} == people


def test_somebody_of_every_role_and_department_tries() -> None:
    people = SITE.topology.people
    tried = different_people(SITE)
    assert {role for person in tried for role in people[person].roles} == {
        role for person in people.values() for role in person.roles
    }
    assert len({(frozenset(people[name].roles), people[name].department) for name in tried}) == len(tried)


def test_who_has_nothing_to_do_at_a_place_has_no_action_there() -> None:
    assert actions_at(SITE, "v.ortiz", "viewer") == set()
    assert actions_at(SITE, "n.okafor", "ris") == set()
    assert "report" in actions_at(SITE, "a.rivera", "workstation")
