#!/usr/bin/python3 -I
"""Make the site's domain where there is none, and bring its accounts and groups to what the settings say.

The settings are /etc/pacslab/directory.json: ``{"realm", "domain", "host", "address", "policy": {"length", "attempts",
"minutes"}, "roles": {name: title}, "people": {name: {"given", "family", "department", "roles", "password"}},
"services": {name: {"purpose", "password", "enabled"}}}``. All changes are one transaction;
each is an event, without a value.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ldb import (
    FLAG_MOD_ADD,
    FLAG_MOD_DELETE,
    FLAG_MOD_REPLACE,
    SCOPE_BASE,
    SCOPE_ONELEVEL,
    Dn,
    Message,
    MessageElement,
    binary_encode,
)
from samba import generate_random_password
from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_accounts import ROLES, UNITS, Account, Change, Group, State, changes, wanted_state
from pacslab_event import write_event

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = Path("/etc/pacslab/directory.json")
SAMBA = Path("/etc/samba/smb.conf")
PRIVATE = Path("/var/lib/samba/private")
MADE = PRIVATE / "pacslab-realm"
"""Holds the realm, once the domain has been made to its end."""
PASSWORDS = PRIVATE / "pacslab-passwords.json"
"""A digest of each password that was set here: it is set again when the settings have another, and not before."""
APPLIED = PRIVATE / "pacslab-applied"
"""As old as the settings that were brought about last; while they are no newer, the unit does nothing."""
DISABLED, NORMAL = 0x2, 0x200  # userAccountControl (MS-ADTS 2.2.16)
GLOBAL_SECURITY_GROUP = "-2147483646"  # groupType (MS-ADTS 2.2.12)
TICKS = 10_000_000  # a second in the directory's intervals, which are negative
NEVER = "-9223372036854775808"
PERSONAL = ("givenName", "sn", "displayName", "department", "mail", "description", "userPrincipalName")


class Directory:
    """The database of the domain on this host, opened as the system."""

    def __init__(self, parameters: LoadParm) -> None:
        """Open it."""
        self.db = SamDB(url=str(PRIVATE / "sam.ldb"), session_info=system_session(), lp=parameters)
        self.top = str(self.db.domain_dn())

    def dn(self, name: str, unit: str = "") -> Dn:
        """The distinguished name of a unit, or of what stands in one; ldb escapes what has to be."""
        dn = Dn(self.db, self.top)
        for kind, value in (("OU", unit), ("CN", name)):
            if value:
                dn.add_child(f"{kind}=x")
                dn.set_component(0, kind, value)
        return dn

    def entries(self, unit: str, kind: str, attributes: list[str]) -> list[Message]:
        """What stands in a unit."""
        return list(self.db.search(self.dn("", unit), SCOPE_ONELEVEL, f"(objectClass={kind})", attributes))

    def set(self, dn: Dn | str, values: Mapping[str, str]) -> bool:
        """Give an entry these values where it has others; tell whether it had."""
        (entry,) = self.db.search(dn, SCOPE_BASE, attrs=list(values))
        message = Message(Dn(self.db, str(dn)))
        for name, value in values.items():
            if [str(held) for held in entry.get(name, [])] != [value]:
                message[name] = MessageElement(value, FLAG_MOD_REPLACE, name)
        if len(message):
            self.db.modify(message)
        return len(message) > 0

    def add_missing_units(self) -> None:
        """Make the organisational units."""
        there = {str(entry["ou"]) for entry in self.db.search(self.top, SCOPE_ONELEVEL, "(ou=*)", ["ou"])}
        for unit in UNITS:
            if unit not in there:
                self.db.add({"dn": self.dn("", unit), "objectClass": "organizationalUnit"})

    def state(self) -> State:
        """The accounts and groups of our units."""
        accounts, groups, names = {}, {}, {}
        for unit in UNITS:
            for entry in self.entries(unit, "user", [*PERSONAL, "sAMAccountName", "userAccountControl"]):
                name = str(entry["sAMAccountName"])
                names[str(entry.dn)] = name
                enabled = not int(str(entry["userAccountControl"])) & DISABLED
                held = {key: str(entry[key]) for key in PERSONAL if key in entry}
                accounts[name] = Account(name, unit, enabled, held)
        for unit in UNITS:
            for entry in self.entries(unit, "group", ["cn", "member"]):
                members = [str(member) for member in entry.get("member", [])]
                groups[(unit, str(entry["cn"]))] = frozenset(names[member] for member in members if member in names)
        return State(accounts, groups)

    def where(self, name: str) -> Dn:
        """Where an account stands."""
        (entry,) = self.db.search(self.top, expression=f"(sAMAccountName={binary_encode(name)})", attrs=["cn"])
        return entry.dn

    def make(self, change: Change, passwords: Mapping[str, str]) -> None:
        """Make one change."""
        match change.kind:
            case "add-group":
                named = {"sAMAccountName": change.name} if change.unit == ROLES else {}
                dn = self.dn(change.name, change.unit)
                self.db.add({"dn": dn, "objectClass": "group", "groupType": GLOBAL_SECURITY_GROUP, **named})
            case "remove-group":
                self.db.delete(self.dn(change.name, change.unit))
            case "add":
                about = {"sAMAccountName": change.name, "userAccountControl": str(NORMAL | DISABLED)}
                dn = self.dn(change.name, change.unit)
                self.db.add({"dn": dn, "objectClass": "user", **about, **change.attributes})
            case "move":
                self.db.rename(self.where(change.name), self.dn(change.name, change.unit))
            case "enable" | "disable":
                flags = NORMAL if change.kind == "enable" else NORMAL | DISABLED
                self.set(self.where(change.name), {"userAccountControl": str(flags)})
            case "update":
                self.set(self.where(change.name), change.attributes)
            case "password":
                self._set_password(change.name, passwords[change.name])
            case "join" | "leave":
                self._member(change.group, change.name, FLAG_MOD_ADD if change.kind == "join" else FLAG_MOD_DELETE)

    def _set_password(self, name: str, password: str) -> None:
        """Set it as an administrator does (MS-ADTS 3.1.1.3.1.5.1); Samba's own function enables the account, too."""
        message = Message(self.where(name))
        message["password"] = MessageElement(f'"{password}"'.encode("utf-16-le"), FLAG_MOD_REPLACE, "unicodePwd")
        self.db.modify(message)

    def _member(self, group: Group, name: str, flag: int) -> None:
        unit, called = group
        message = Message(self.dn(called, unit))
        message["member"] = MessageElement(str(self.where(name)), flag, "member")
        self.db.modify(message)

    def set_policy(self, policy: Mapping[str, int], host: str) -> None:
        """Lock accounts that are guessed at, ask for long passwords, and give nobody a right by default."""
        minutes = str(-policy["minutes"] * 60 * TICKS)
        passwords = {"minPwdLength": str(policy["length"]), "pwdProperties": "0", "maxPwdAge": NEVER, "minPwdAge": "0"}
        locking = {
            "lockoutThreshold": str(policy["attempts"]),
            "lockoutDuration": minutes,
            "lockOutObservationWindow": minutes,
        }
        # Nobody may join a machine (MS-ADTS 3.1.1.5.2.2).
        self.set(self.top, {**passwords, **locking, "ms-DS-MachineAccountQuota": "0"})
        # Not the global catalogue of a forest: its ports stay closed (MS-ADTS 6.1.1.2.2.1.2.1.1).
        self.set(self.db.get_dsServiceName(), {"options": "0"})
        # Root of this host may do all, and DNS is not Samba's: nobody needs the accounts that come with a domain.
        for name in ("Administrator", f"dns-{host}"):
            self.set(self.where(name), {"userAccountControl": str(NORMAL | DISABLED)})

    def set_service_policy(self, services: Mapping[str, Any]) -> None:
        """Services' passwords are beyond guessing, so guesses lock nobody's sign-on out (MS-ADTS 3.1.1.1.7)."""
        container = Dn(self.db, f"CN=Password Settings Container,CN=System,{self.top}")
        dn = Dn(self.db, f"CN=services,{container}")
        if not self.db.search(container, SCOPE_ONELEVEL, "(cn=services)", ["cn"]):
            window = str(-60 * TICKS)
            self.db.add(
                {
                    "dn": dn,
                    "objectClass": "msDS-PasswordSettings",
                    "msDS-PasswordSettingsPrecedence": "1",
                    "msDS-PasswordReversibleEncryptionEnabled": "FALSE",
                    "msDS-PasswordHistoryLength": "0",
                    "msDS-PasswordComplexityEnabled": "FALSE",
                    "msDS-MinimumPasswordLength": "30",
                    "msDS-MinimumPasswordAge": "0",
                    "msDS-MaximumPasswordAge": NEVER,
                    "msDS-LockoutThreshold": "0",
                    "msDS-LockoutObservationWindow": window,
                    "msDS-LockoutDuration": window,
                }
            )
        members = sorted(str(self.where(name)) for name in services)
        (entry,) = self.db.search(dn, SCOPE_BASE, attrs=["msDS-PSOAppliesTo"])
        if sorted(str(member) for member in entry.get("msDS-PSOAppliesTo", [])) != members:
            message = Message(dn)
            message["applies"] = MessageElement(members, FLAG_MOD_REPLACE, "msDS-PSOAppliesTo")
            self.db.modify(message)


def make_domain(settings: Mapping[str, Any], parameters: LoadParm) -> None:
    """Make the domain, from nothing: what an interrupted attempt left is removed."""
    from samba.provision import provision  # noqa: PLC0415 # a second of imports that only the first run needs

    shutil.rmtree(PRIVATE, ignore_errors=True)
    PRIVATE.mkdir(mode=0o700, parents=True)
    provision(
        logging.getLogger("directory-accounts"),
        system_session(),
        smbconf=str(SAMBA),
        realm=settings["realm"],
        domain=settings["domain"],
        hostname=settings["host"],
        hostip=settings["address"],
        hostip6="",
        adminpass=generate_random_password(60, 60),  # told to nobody: the account is disabled
        dns_backend="NONE",
        serverrole="dc",
        adprep_level=None,
        lp=parameters,
    )
    MADE.write_text(settings["realm"], "utf-8")


def digest(password: str) -> str:
    """What is kept of a password to notice another one: they are random and long, so that no digest gives them away."""
    return hashlib.sha256(password.encode()).hexdigest()


def tell(change: Change) -> None:
    """Write the event of a change."""
    if change.kind in {"add-group", "remove-group"}:
        write_event("change-group", group=change.name, change=change.kind.removesuffix("-group"))
    else:
        facts = {"attributes": sorted(change.attributes) or None, "group": change.group[1] or None}
        write_event("change-account", account=change.name, change=change.kind, **facts)


def main() -> int:
    """Make the domain and its accounts what the settings say."""
    age = SETTINGS.stat().st_mtime_ns  # before they are read, so that no newer ones count as done
    settings = json.loads(SETTINGS.read_text("utf-8"))
    parameters = LoadParm()
    parameters.load(str(SAMBA))
    parameters.set("log level", "0")  # what is changed here is told below
    made = MADE.read_text("utf-8") if MADE.exists() else ""
    if made and made != settings["realm"]:
        sys.stderr.write(f"<3>this host has the domain {made}; a host is made anew for another one\n")
        return 1
    if not made:
        make_domain(settings, parameters)
    directory = Directory(parameters)
    passwords = {name: entry["password"] for part in ("people", "services") for name, entry in settings[part].items()}
    digests = {name: digest(password) for name, password in passwords.items()}
    known = json.loads(PASSWORDS.read_text("utf-8")) if PASSWORDS.exists() else {}
    directory.db.transaction_start()
    try:
        directory.set_policy(settings["policy"], settings["host"])
        directory.add_missing_units()
        found = directory.state()
        fresh = frozenset(name for name, value in digests.items() if known.get(name) != value)
        planned = list(changes(found, wanted_state(settings, found), fresh))
        for change in planned:
            directory.make(change, passwords)
        directory.set_service_policy(settings["services"])
    except BaseException:
        directory.db.transaction_cancel()
        raise
    directory.db.transaction_commit()
    if digests != known:
        PASSWORDS.touch(mode=0o600)
        PASSWORDS.write_text(json.dumps(digests), "utf-8")
    for change in planned:
        tell(change)
    APPLIED.touch()
    os.utime(APPLIED, ns=(age, age))
    return 0


if __name__ == "__main__":
    sys.exit(main())
