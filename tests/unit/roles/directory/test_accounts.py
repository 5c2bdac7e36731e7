"""What is changed in the directory follows from the site's description and from what the directory has."""

from __future__ import annotations

from typing import Any

from tests.unit.roles.programs import role_program

accounts = role_program("directory", "pacslab_accounts.py")
Change, State = accounts.Change, accounts.State

NOBODY = State({}, {})


def settings(**people: dict[str, Any]) -> dict[str, Any]:
    return {
        "realm": "IMAGING.INTERNAL",
        "roles": {"radiologist": "Radiologist", "vendor": "Vendor"},
        "people": people,
        "services": {"svc-sso": {"purpose": "Reads", "enabled": True, "password": "x"}},
    }


def person(**other: Any) -> dict[str, Any]:
    return {"given": "Jan", "family": "Novák", "department": "Radiology", "roles": ["radiologist"]} | other


def after(wanted: dict[str, Any], found: Any = NOBODY) -> Any:
    """What the directory has when everything was changed."""
    return accounts.wanted_state(wanted, found)


def planned(wanted: dict[str, Any], found: Any, *fresh: str) -> list[Any]:
    return list(accounts.changes(found, after(wanted, found), frozenset(fresh)))


def test_an_account_has_the_persons_name_department_and_address() -> None:
    account = after(settings(jan=person())).accounts["jan"]
    assert (account.unit, account.enabled) == ("Staff", True)
    assert account.attributes["displayName"] == "Jan Novák"
    assert account.attributes["mail"] == account.attributes["userPrincipalName"] == "jan@imaging.internal"
    assert account.attributes["department"] == "Radiology"


def test_groups_are_the_policys_roles_and_the_departments() -> None:
    assert after(settings(jan=person())).groups == {
        ("Roles", "radiologist"): {"jan"},
        ("Roles", "vendor"): set(),
        ("Departments", "Radiology"): {"jan"},
    }


def test_an_account_is_enabled_once_it_has_its_password() -> None:
    kinds = [change.kind for change in planned(settings(jan=person()), NOBODY, "jan") if change.name == "jan"]
    assert kinds == ["add", "password", "enable", "join", "join"]


def test_nothing_is_changed_where_everything_is_as_it_shall_be() -> None:
    wanted = settings(jan=person())
    assert planned(wanted, after(wanted)) == []


def test_who_went_is_disabled_set_aside_and_in_no_group() -> None:
    before = after(settings(jan=person(), ana=person()))
    changes = planned(settings(ana=person()), before)
    assert changes == [
        Change("disable", "jan"),
        Change("move", "jan", "Former"),
        Change("leave", "jan", group=("Departments", "Radiology")),
        Change("leave", "jan", group=("Roles", "radiologist")),
    ]
    assert planned(settings(ana=person()), after(settings(ana=person()), before)) == []


def test_who_comes_back_has_the_account_of_before_with_a_new_password() -> None:
    gone = after(settings(), after(settings(jan=person())))
    assert [change.kind for change in planned(settings(jan=person()), gone, "jan")] == [
        *("add-group", "move", "password", "enable", "join", "join"),
    ]


def test_what_is_said_otherwise_of_a_person_is_all_that_is_set() -> None:
    before = after(settings(jan=person()))
    assert planned(settings(jan=person(family="Nowak")), before) == [
        Change("update", "jan", attributes={"displayName": "Jan Nowak", "sn": "Nowak"})
    ]


def test_another_role_and_department_are_other_groups_and_an_empty_department_goes() -> None:
    before = after(settings(jan=person()))
    changes = planned(settings(jan=person(roles=["vendor"], department="A, B")), before)
    assert Change("join", "jan", group=("Roles", "vendor")) in changes
    assert Change("leave", "jan", group=("Roles", "radiologist")) in changes
    assert changes[0] == Change("add-group", "A, B", "Departments")
    assert changes[-1] == Change("remove-group", "Radiology", "Departments")


def test_a_password_is_set_when_the_lab_has_another_and_not_before() -> None:
    wanted = settings(jan=person())
    assert planned(wanted, after(wanted), "jan") == [Change("password", "jan")]


def test_a_service_that_nobody_needs_cannot_sign_in() -> None:
    wanted = settings()
    before = after(wanted)
    wanted["services"]["svc-sso"]["enabled"] = False
    assert planned(wanted, before) == [Change("disable", "svc-sso")]
    new = [change.kind for change in planned(wanted, NOBODY) if change.name == "svc-sso"]
    assert new == ["add", "password"]
