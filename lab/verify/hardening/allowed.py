"""The judge's own lists of what a role's host may have: ``tests/hardening/allowed/<role>.yml``.

They repeat on purpose what roles do, and are written by hand: a list that were read from what is judged could not fail.
A role of a user's own brings ``roles/<role>/verify/allowed.yml``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from lab.verify.hardening.find import FOLDER, OF_A_ROLE, ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.verify.hardening.declare import Target


ADMINISTRATORS, SEALED = "administrators", "emergency"
"""The group that becomes root with sudo, and an account of it that every host has."""
ROLE, WHERE_THEY_SIGN_IN, SIGN_ON = "pacs-administrator", "administration", "sign-on"
"""Whose people administer hosts, the role of the host where they sign in for it, and the service that they do it at."""
SHELL = "/bin/bash"


class AllowedProcess(BaseModel):
    """What a program may be and do.

    Attributes:
        unit: The systemd unit that it belongs to, or a pattern where each connection has a unit of its own.
        user: The account that it runs as; several where a master hands over to workers.
        effective: Capabilities that it may use.
        ambient: Capabilities that it may use as an account other than root.
        bounding: Capabilities that it and what it starts can ever have; None for all of the container's.
        new_privileges: True where it may gain privileges (``NoNewPrivileges`` is off), with the reason beside it.
        filtered: Whether a system call filter is on.
        children: True where it starts others for a moment, which are then judged as it is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: str
    user: list[str] = Field(min_length=1)
    effective: list[str] = Field(default_factory=list)
    ambient: list[str] = Field(default_factory=list)
    bounding: list[str] | None = None
    new_privileges: bool = False
    filtered: bool = True
    children: bool = False


class AllowedFile(BaseModel):
    """What a file or folder may be: its owner, and the most that its mode may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    owner: str
    group: str = "root"
    mode: str = Field(pattern="^0[0-7]{3,4}$", description="No bit may be set beyond these.")


class Allowed(BaseModel):
    """What hosts with a role may have, beyond what their other roles may.

    Attributes:
        accounts: Login shell by name.
        members: Members of groups beside the accounts whose own group it is.
        processes: By the name that the kernel shows.
        set_id: Files that run as their owner or group, by path.
        writable: Paths that everybody may write to (folders with the sticky bit).
        capabilities: What root can do on the host at most.
        keys: Private keys that no description names, by a pattern of their path, with the reason.
        devices: Devices of the machine that the host's container is given.
        all_addresses: Services of scope loopback that listen on every address, with the reason: the host's filter
            alone keeps them in.
        packages: Packages that are otherwise not wanted, with the reason.
        secrets: Files that are not for everybody.
        units: Services that must run.
        sysctls: Settings that differ from the general ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accounts: dict[str, str] = Field(default_factory=dict)
    members: dict[str, list[str]] = Field(default_factory=dict)
    processes: dict[str, AllowedProcess] = Field(default_factory=dict)
    set_id: dict[str, AllowedFile] = Field(default_factory=dict)
    writable: list[str] = Field(default_factory=list)
    capabilities: list[str] = Field(default_factory=list)
    keys: dict[str, str] = Field(default_factory=dict)
    devices: list[str] = Field(default_factory=list)
    all_addresses: dict[str, str] = Field(default_factory=dict)
    packages: dict[str, str] = Field(default_factory=dict)
    secrets: dict[str, AllowedFile] = Field(default_factory=dict)
    units: list[str] = Field(default_factory=list)
    sysctls: dict[str, str] = Field(default_factory=dict)


@cache
def of_role(role: str) -> Allowed:
    """The list of a role; an empty one where there is no file, so that nothing more is allowed."""
    for path in (FOLDER / "allowed" / f"{role}.yml", ROLES / role / OF_A_ROLE / "allowed.yml"):
        if path.is_file():
            return Allowed.model_validate(yaml.safe_load(path.read_text("utf-8")) or {})
    return Allowed()


@cache
def _of_roles(roles: tuple[str, ...]) -> Allowed:
    merged: dict[str, Any] = {}
    for role in roles:
        for name, value in of_role(role):
            if isinstance(value, dict):
                merged.setdefault(name, {}).update(value)
            else:
                merged[name] = list(dict.fromkeys([*merged.get(name, []), *value]))
    return Allowed.model_validate(merged)


def of_roles(roles: Iterable[str]) -> Allowed:
    """The lists of several roles together; where two speak of one thing, the later role counts."""
    return _of_roles(tuple(roles))


def allowed(target: Target) -> Allowed:
    """What the target's host may have: what its roles say of a thing counts more than what any machine may have."""
    found = of_roles([*target.lists, *target.entry.roles])
    people = administrators(target)
    if not people or ADMINISTRATORS not in found.members:
        return found
    members = {**found.members, ADMINISTRATORS: [*found.members[ADMINISTRATORS], *people]}
    processes = {
        name: entry.model_copy(update={"user": [*entry.user, *people]}) if SEALED in entry.user else entry
        for name, entry in found.processes.items()
    }
    accounts = {**found.accounts, **dict.fromkeys(people, SHELL)}
    return found.model_copy(update={"accounts": accounts, "members": members, "processes": processes})


def loaded_units(target: Target) -> set[str]:
    """The units of all programs that the host's roles may run; two roles may have one program in units of their own."""
    roles = [*target.lists, *target.entry.roles]
    return {rule.unit for role in roles for rule in of_role(role).processes.values()}


def timed_units(target: Target) -> set[str]:
    """The services that timers of the host's roles start again and again."""
    return {unit.replace(".timer", ".service") for unit in allowed(target).units if unit.endswith(".timer")}


def administrators(target: Target) -> list[str]:
    """People who have an account on every host that administrators reach: of the description, where they sign in first.

    Judged by the roles of people and the policy's words alone, and not by what hosts are configured from.
    """
    site = target.site
    doors = [name for name, host in site.hosts.items() if WHERE_THEY_SIGN_IN in host.roles]
    if not any(flow.service == SIGN_ON for door in doors for flow in site.flows_out(door)):
        return []
    return [name for name, person in site.topology.people.items() if ROLE in person.roles]
