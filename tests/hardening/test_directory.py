"""The directory knows the people of the description and nobody else, and tells nothing to who has not signed in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.topology.model import Person
    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

DIRECTORY = has_role("directory")
MINUTE = 60 * 10_000_000
"""In the directory's intervals, which are negative (MS-ADTS 3.1.1.1.7)."""
NEVER = -(2**63)
STRONGER_AUTH_REQUIRED, OPERATIONS_ERROR, INSUFFICIENT_RIGHTS, INVALID_CREDENTIALS = 8, 1, 50, 49  # RFC 4511 4.1.9
SETTINGS = {
    "server services": "ldap, kdc",
    "ntlm auth": "disabled",
    "nt hash store": "never",
    "disable netbios": "Yes",
    "ldap server require strong auth": "Yes",
    "tls enabled": "Yes",
    "logging": "systemd",
}
SHOW = "testparm --suppress-prompt --verbose 2>/dev/null"
CONFIGURATION = "/etc/samba/smb.conf"
RESTART = "systemctl restart samba-ad-dc"
ALSO = ("hardening.directory.*",)


def domain_of(target: Target) -> str:
    return ",".join(f"DC={label}" for label in target.site.topology.domain.split("."))


def asking(target: Target) -> str:
    name = target.site.identity(target.host, "ldaps")
    return program("directory_questions", str(target.entry.address), name, domain_of(target))


def answers(host: Host, target: Target) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.check_output(asking(target)))
    return found


def people(target: Target) -> Iterable[tuple[str, tuple[str, Person]]]:
    return [(name, (name, person)) for name, person in target.site.topology.people.items()]


def is_read(target: Target) -> bool:
    """Whether some host may ask it, so that the account for that is open."""
    return DIRECTORY(target) and any(flow.service == "ldaps" for flow in target.site.flows_in(target.host))


def tool(arguments: str, undo: str, **rest: Any) -> Sabotage:
    return Sabotage(f"samba-tool {arguments}", f"samba-tool {undo}", **rest)


def edited(expression: str, **rest: Any) -> Sabotage:
    return changed_file(CONFIGURATION, f"sed -i '{expression}' $FILE", then=RESTART, also=("hardening.*",), **rest)


@promise(
    "hardening.directory.accounts",
    "Nobody can sign in but the people of the description, and the services that a flow lets ask.",
    remedy="`samba-tool user disable NAME` on the directory's host; `pacslab up` for who is missing.",
    where=DIRECTORY,
    reads=(asking,),
    sabotage=tool("user create intruder --random-password", "user delete intruder", also=ALSO),
)
def test_only_the_described_can_sign_in(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)["accounts"]
    machine = f"{target.host.upper()}$"
    wanted = {*target.site.topology.people, *(["svc-sso"] if is_read(target) else [])}
    enabled = {name for name, account in found.items() if account["enabled"]} - {machine}
    expect.all_of(sorted(wanted), enabled, "accounts")
    expect.only(wanted, sorted(enabled), "accounts that can sign in")


@promise(
    "hardening.directory.groups",
    "Everybody is in the groups of the description's roles and department, and in no other.",
    remedy="`samba-tool group removemembers GROUP NAME` on the directory's host; `pacslab up` for what is missing.",
    where=DIRECTORY,
    each=people,
    reads=(asking,),
    sabotage=Sabotage(
        lambda target: f"samba-tool group addmembers 'Domain Admins' {target.value[0]}",
        lambda target: f"samba-tool group removemembers 'Domain Admins' {target.value[0]}",
    ),
)
def test_everybody_is_in_the_described_groups(
    host: Host, target: Target, subject: tuple[str, Person], expect: Expect
) -> None:
    name, person = subject
    units = [*((role, "Roles") for role in person.roles), (person.department, "Departments")]
    wanted = sorted(f"CN={group},OU={unit},{domain_of(target)}" for group, unit in units)
    account = answers(host, target)["accounts"].get(name)
    expect.that(account is not None, "an account", "none")
    expect.equal(wanted, sorted(account["groups"] if account else []), "groups")


@promise(
    "hardening.directory.guessing",
    "An account is locked after five wrong passwords, and passwords are long (AC-7, SP 800-63B 3.1.1.2).",
    remedy="`pacslab up --again`; `samba-tool domain passwordsettings show` on the directory's host.",
    where=DIRECTORY,
    reads=(asking,),
    sabotage=tool(
        "domain passwordsettings set --account-lockout-threshold=0",
        "domain passwordsettings set --account-lockout-threshold=5",
    ),
)
def test_guessing_locks_an_account(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)["policy"]
    attempts = int(found["lockoutThreshold"])
    expect.that(0 < attempts <= 5, "1 to 5 attempts", f"{attempts} attempts")
    for window in ("lockOutObservationWindow", "lockoutDuration"):
        minutes = -int(found[window]) / MINUTE
        expect.that(minutes >= 15, f"{window} of 15 minutes or more", f"{minutes:g} minutes")
    expect.that(int(found["minPwdLength"]) >= 15, "15 characters or more", f"{found['minPwdLength']} characters")
    expect.equal(NEVER, int(found["maxPwdAge"]), "longest age of a password")
    expect.equal(0, int(found["ms-DS-MachineAccountQuota"]), "machines that anybody may join")


@promise(
    "hardening.directory.unnamed",
    "Who has not signed in is told nothing, and no password is taken without TLS.",
    remedy="Restore /etc/samba/smb.conf: `pacslab up --again`.",
    where=DIRECTORY,
    reads=(asking,),
    sabotage=edited("s/require strong auth = yes/require strong auth = no/"),
)
def test_nothing_is_told_to_who_has_not_signed_in(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)["attempts"]
    expect.equal(STRONGER_AUTH_REQUIRED, found["password-without-tls"], "answer to a password without TLS")
    expect.equal(OPERATIONS_ERROR, found["search-without-name"], "answer to a search by nobody")


def given_rights(target: Target) -> str:
    """A change after which the sign-on's account may do more than it should."""
    return "group addmembers 'Domain Admins' svc-sso" if is_read(target) else "user enable svc-sso"


def taken_rights(target: Target) -> str:
    return "group removemembers 'Domain Admins' svc-sso" if is_read(target) else "user disable svc-sso"


@promise(
    "hardening.directory.reader",
    "The account of the sign-on reads the directory and changes nothing; where no flow lets anybody ask, it is closed.",
    remedy="`samba-tool group listmembers` shows who has rights; take the account out. `pacslab up --again` closes it.",
    where=DIRECTORY,
    reads=(asking,),
    sabotage=Sabotage(
        lambda target: f"samba-tool {given_rights(target)}",
        lambda target: f"samba-tool {taken_rights(target)}",
        also=ALSO,
    ),
)
def test_the_sign_on_cannot_change_the_directory(host: Host, target: Target, expect: Expect) -> None:
    found = answers(host, target)["attempts"]
    if is_read(target):
        expect.equal(0, found["svc-sso-reads"], "answer to its password")
        expect.equal(INSUFFICIENT_RIGHTS, found["svc-sso-changes"], "answer to a change")
    else:
        expect.equal(INVALID_CREDENTIALS, found["svc-sso-reads"], "answer to its password")


@promise(
    "hardening.directory.settings",
    "The directory serves nothing beside, keeps no hash that NTLM would need, and logs to the journal.",
    remedy="Restore /etc/samba/smb.conf: `pacslab up --again`.",
    where=DIRECTORY,
    each=lambda _: [(name, (name, value)) for name, value in SETTINGS.items()],
    reads=(SHOW,),
    sabotage=edited(
        "s/nt hash store = never/nt hash store = always/", on=lambda target: target.value[0] == "nt hash store"
    ),
)
def test_the_settings_are_safe(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    name, value = subject
    lines = [line.strip().partition(" = ") for line in str(host.check_output(SHOW)).splitlines()]
    expect.equal(value, {key: said for key, _, said in lines}.get(name), name)


@promise(
    "hardening.directory.record",
    "A sign-in that is refused is on record, with the name that was given and the address that it came from.",
    remedy="`pacslab status`; see `journalctl -u pacslab-directory-events` and the log level in /etc/samba/smb.conf.",
    where=DIRECTORY,
    reads=(asking,),
    sabotage=edited("s/auth_json_audit:3/auth_json_audit:0/"),
)
def test_a_refused_sign_in_is_on_record(host: Host, target: Target, expect: Expect) -> None:
    line = answers(host, target)["recorded"]
    event = json.loads(line) if line else {}
    found = {key: event.get(key) for key in ("action", "outcome", "reason", "peer")}
    address = str(target.entry.address)
    wanted = {"action": "sign-in", "outcome": "refused", "reason": "unknown-account", "peer": address}
    expect.equal(wanted, found, "event")
