"""The policy gives what a role may do, in its widest scope, and refuses what nobody may hold together."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from lab.access.policy import POLICY, Policy, Scope, load_policy

SMALL: dict[str, Any] = {
    "actions": {name: {"title": name, "at": "viewer", "transactions": ""} for name in ("ask", "allow", "look")},
    "roles": {
        "asker": {"title": "Asker", "may": {"ask": "department", "look": "treatment"}},
        "allower": {"title": "Allower", "may": {"allow": "department", "look": "all"}},
    },
    "separate": [{"actions": ["ask", "allow"], "why": "two people decide"}],
}


def policy(**changes: Any) -> Policy:
    return Policy.model_validate({**SMALL, **changes})


def test_what_no_role_gives_is_not_allowed() -> None:
    assert policy().scope(["asker"], "allow") is None
    assert policy().scope([], "look") is None
    assert policy().scope(["stranger"], "look") is None


def test_of_several_roles_the_widest_scope_counts() -> None:
    assert policy().scope(["asker"], "look") is Scope.TREATMENT
    assert policy().scope(["asker", "allower"], "look") is Scope.ALL


def test_a_place_is_for_the_roles_that_may_do_something_there() -> None:
    assert policy().at_places() == {"viewer": ["asker", "allower"]}
    places = load_policy().at_places()
    assert places["directory"] == ["service-desk"]
    assert "pacs-administrator" not in places["viewer"]


def test_what_a_role_may_do_is_told_in_plain_words() -> None:
    assert load_policy().by_role()["technologist"]["add-images"] == "department"
    assert {type(scope) for may in load_policy().by_role().values() for scope in may.values()} == {str}


def test_duties_that_are_separate_are_found_with_the_roles_that_bring_them() -> None:
    (broken,) = policy().broken(["asker", "allower"])
    assert broken.why == "two people decide"
    assert policy().culprits(["allower", "asker"], broken) == ("asker", "allower")
    assert list(policy().broken(["asker"])) == []


def test_a_role_that_breaks_a_separation_by_itself_is_refused() -> None:
    both = {"both": {"title": "Both", "may": {"ask": "all", "allow": "all"}}}
    with pytest.raises(ValidationError, match="role both has ask and allow: two people decide"):
        policy(roles=both)


@pytest.mark.parametrize(
    "changes",
    [
        {"roles": {"asker": {"title": "Asker", "may": {"sing": "all"}}}},
        {"separate": [{"actions": ["ask", "sing"], "why": "no reason"}]},
    ],
)
def test_an_action_that_does_not_exist_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="no such action: sing"):
        policy(**changes)


def test_the_products_policy_keeps_administrators_from_patients_and_from_audit() -> None:
    shipped = load_policy()
    assert shipped.model_dump(mode="json") == Policy.model_validate(yaml.safe_load(POLICY.read_text())).model_dump(
        mode="json"
    )
    for action in ("view-images", "search-studies", "read-audit", "read-events"):
        assert shipped.scope(["pacs-administrator"], action) is None
    assert shipped.scope(["security-analyst"], "view-images") is None
    assert shipped.scope(["referring-clinician"], "view-images") is Scope.TREATMENT
    assert list(shipped.broken(["technologist", "qa-authoriser"]))
    assert list(shipped.broken(["pacs-administrator", "privacy-officer"]))
