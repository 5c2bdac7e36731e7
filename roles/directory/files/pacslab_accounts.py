"""What a directory's accounts and groups shall be, and the changes that lead there from what is found.

It knows nothing of Samba: ``directory-accounts`` reads what there is, and makes the changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STAFF, FORMER, SERVICES, ROLES, DEPARTMENTS = "Staff", "Former", "Services", "Roles", "Departments"
UNITS = (STAFF, FORMER, SERVICES, ROLES, DEPARTMENTS)
"""Organisational units (OU) below the domain. What stands elsewhere is the domain's own, and left alone."""

Group = tuple[str, str]
"""A group: its unit, and its name there."""


@dataclass(frozen=True)
class Account:
    """Somebody, or something, that signs in."""

    name: str
    unit: str
    enabled: bool
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class State:
    """Accounts by name, and groups with the names of their members."""

    accounts: Mapping[str, Account]
    groups: Mapping[Group, frozenset[str]]


@dataclass(frozen=True)
class Change:
    """One change of an account or a group, as it is told in the log.

    Attributes:
        kind: add-group, remove-group, add, move, enable, disable, update, password, join, leave.
        name: The account, or the group that is added or removed.
        unit: Where it is to stand.
        attributes: What is set.
        group: The group that is joined or left.
    """

    kind: str
    name: str
    unit: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    group: Group = ("", "")


def wanted_state(settings: Mapping[str, Any], found: State) -> State:
    """Everybody of the settings, and those found who are not: they keep their account, disabled and in no group."""
    domain = str(settings["realm"]).lower()
    accounts = {name: _person(name, person, domain) for name, person in settings["people"].items()}
    accounts |= {name: _service(name, service, domain) for name, service in settings["services"].items()}
    for name, account in found.accounts.items():
        if name not in accounts:
            accounts[name] = replace(account, unit=FORMER, enabled=False)
    groups: dict[Group, set[str]] = {(ROLES, role): set() for role in settings["roles"]}
    for name, person in settings["people"].items():
        for group in [*((ROLES, role) for role in person["roles"]), (DEPARTMENTS, person["department"])]:
            groups.setdefault(group, set()).add(name)
    return State(accounts, {group: frozenset(members) for group, members in groups.items()})


def _person(name: str, person: Mapping[str, Any], domain: str) -> Account:
    attributes = {
        "givenName": person["given"],
        "sn": person["family"],
        "displayName": f"{person['given']} {person['family']}",
        "department": person["department"],
        "mail": f"{name}@{domain}",
    }
    return Account(name, STAFF, enabled=True, attributes={**attributes, "userPrincipalName": f"{name}@{domain}"})


def _service(name: str, service: Mapping[str, Any], domain: str) -> Account:
    attributes = {"description": service["purpose"], "userPrincipalName": f"{name}@{domain}"}
    return Account(name, SERVICES, enabled=service["enabled"], attributes=attributes)


def changes(found: State, wanted: State, new_passwords: frozenset[str]) -> Iterator[Change]:
    """Yield what has to be changed, in an order in which it can be.

    Args:
        found: what the directory has.
        wanted: what it shall have.
        new_passwords: accounts whose password is another than the one that was last set here.
    """
    for unit, name in sorted(wanted.groups.keys() - found.groups.keys()):
        yield Change("add-group", name, unit)
    for name, account in sorted(wanted.accounts.items()):
        yield from _changes_of(found.accounts.get(name), account, fresh=name in new_passwords)
    for group in sorted(found.groups.keys() | wanted.groups.keys()):
        before, after = found.groups.get(group, frozenset()), wanted.groups.get(group, frozenset())
        yield from (Change("leave", name, group=group) for name in sorted(before - after))
        yield from (Change("join", name, group=group) for name in sorted(after - before))
    for unit, name in sorted(found.groups.keys() - wanted.groups.keys()):
        yield Change("remove-group", name, unit)


def _changes_of(before: Account | None, account: Account, *, fresh: bool) -> Iterator[Change]:
    name = account.name
    if before is None:  # disabled until it has a password
        yield Change("add", name, account.unit, account.attributes)
        yield Change("password", name)
        if account.enabled:
            yield Change("enable", name)
        return
    if before.enabled and not account.enabled:
        yield Change("disable", name)
    if before.unit != account.unit:
        yield Change("move", name, account.unit)
    altered = {key: value for key, value in account.attributes.items() if before.attributes.get(key) != value}
    if altered:
        yield Change("update", name, attributes=altered)
    if fresh:
        yield Change("password", name)
    if account.enabled and not before.enabled:
        yield Change("enable", name)
