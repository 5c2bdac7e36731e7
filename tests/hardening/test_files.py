"""Files are no way to more rights: nothing set-id, nothing writable for everybody, secrets closed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed
from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.facts import FILES, GROUP, PASSWD, SHADOW, accounts, files, groups
from lab.verify.hardening.sabotages import capable_program, changed_mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.allowed import AllowedFile
    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

SETUID, SETGID, STICKY = 0o4000, 0o2000, 0o1000
CHOWN_CAPABILITY = bytes.fromhex("0100000201000000000000000000000000000000")
"""linux/capability.h: VFS_CAP_REVISION_2, effective, with CAP_CHOWN permitted."""
SYSTEM = {
    "/etc": "0755", "/etc/passwd": "0644", "/etc/group": "0644", "/etc/shadow": "0640", "/etc/gshadow": "0640",
    "/etc/pacslab": "0755", "/etc/pacslab/hosts": "0644", "/etc/pacslab/health.json": "0644",
    "/etc/nftables.conf": "0755",
    "/etc/nftables.d": "0755", "/etc/nftables.d/10-host.nft": "0644", "/etc/systemd/system": "0755",
    "/etc/sysctl.d": "0755", "/etc/ld.so.conf": "0644", "/etc/nsswitch.conf": "0644", "/etc/profile": "0644",
    "/usr": "0755", "/usr/bin": "0755", "/usr/sbin": "0755", "/usr/lib": "0755", "/usr/local/bin": "0755",
    "/usr/local/lib/pacslab": "0755", "/boot": "0755", "/var": "0755", "/var/lib": "0755", "/var/log": "0755",
    "/home": "0755",
}  # fmt: skip
"""What only root may change, with the most that its mode may hold."""


def secrets(target: Target) -> Iterable[tuple[str, tuple[str, AllowedFile]]]:
    return [(path, (path, entry)) for path, entry in allowed(target).secrets.items()]


def system(target: Target) -> Iterable[tuple[str, tuple[str, int]]]:
    del target
    return [(path, (path, int(mode, 8))) for path, mode in SYSTEM.items()]


@promise(
    "hardening.files.set-id",
    "No file runs with its owner's or group's rights but those that are listed.",
    remedy="`chmod u-s,g-s` it, or list it with its reason.",
    reads=(FILES,),
    sabotage=Sabotage(
        "cp /bin/true /usr/local/bin/true2 && chmod 4755 /usr/local/bin/true2", "rm -f /usr/local/bin/true2"
    ),
)
def test_no_file_is_set_id(host: Host, target: Target, expect: Expect) -> None:
    known = allowed(target).set_id
    found = [
        str(entry)
        for entry in files(host).odd
        if entry.kind == "f"
        and entry.mode & (SETUID | SETGID)
        and (entry.path not in known or entry.mode & ~int(known[entry.path].mode, 8))
    ]
    expect.none(found, "set-id files beyond those listed")


@promise(
    "hardening.files.writable",
    "Nothing is writable for everybody but folders for temporary files, which keep each user's own apart.",
    remedy="`chmod o-w` it.",
    reads=(FILES,),
    sabotage=Sabotage("touch /etc/open && chmod 0666 /etc/open", "rm -f /etc/open"),
)
def test_nothing_is_writable_for_everybody(host: Host, target: Target, expect: Expect) -> None:
    places = tuple(allowed(target).writable)
    found = [
        str(entry)
        for entry in files(host).odd
        if entry.mode & 0o002
        and entry.kind in "fd"
        and not (entry.kind == "d" and entry.mode & STICKY and entry.path.startswith(places))
    ]
    expect.none(found, "files and folders that everybody may write to")


@promise(
    "hardening.files.unowned",
    "Every file has an owner and a group that exist.",
    remedy="`chown` it; an account that is made later would own it.",
    reads=(FILES, PASSWD, SHADOW, GROUP),
    sabotage=Sabotage("touch /opt/orphan && chown 54321:54321 /opt/orphan", "rm -f /opt/orphan"),
)
def test_every_file_has_an_owner(host: Host, expect: Expect) -> None:
    found, known = files(host), {account.uid for account in accounts(host).values()}
    ids = {int(line.split(":")[2]) for line in str(host.check_output(GROUP)).splitlines()}
    expect.some(groups(host), "groups")
    dynamic = range(61184, 65520)  # systemd.exec(5): DynamicUser=
    expect.none(sorted(uid for uid in found.owners - known if uid not in dynamic), "user ids of files without account")
    expect.none(sorted(gid for gid in found.groups - ids if gid not in dynamic), "group ids of files without group")


@promise(
    "hardening.files.capable",
    "No program has capabilities of its own.",
    remedy="`setcap -r` it.",
    reads=(FILES,),
    sabotage=Sabotage(
        "true",
        "rm -f /usr/local/bin/true3",
        unpacked=capable_program("/usr/local/bin/true3", CHOWN_CAPABILITY),
    ),
)
def test_no_program_has_capabilities(host: Host, expect: Expect) -> None:
    expect.none(files(host).capable, "programs with capabilities")


@promise(
    "hardening.files.system",
    "What only root may change is root's, and writable for nobody else.",
    remedy="`chown root:root` and `chmod` it back.",
    each=system,
    sabotage=changed_mode(lambda target: target.subject, "g+w", on=lambda target: target.subject == "/etc/profile"),
)
def test_system_files_are_roots(host: Host, subject: tuple[str, int], expect: Expect) -> None:
    path, most = subject
    found = host.file(path)
    expect.equal("root", found.user, "owner")
    expect.mode_at_most(most, found.mode)


@promise(
    "hardening.files.secrets",
    "Secrets and images are closed to all but those who need them.",
    remedy="`chown` and `chmod` it back, or configure the host again: `pacslab up --again`.",
    each=secrets,
    sabotage=changed_mode(lambda target: target.subject, "o+r", also=("hardening.files.system",)),
)
def test_secrets_are_closed(host: Host, subject: tuple[str, AllowedFile], expect: Expect) -> None:
    path, most = subject
    found = host.file(path)
    expect.equal(most.owner, found.user, "owner")
    expect.mode_at_most(int(most.mode, 8), found.mode)
    if found.mode & 0o070:
        expect.equal(most.group, found.group, "group")


@promise(
    "hardening.files.path",
    "No folder of root's search path can be written to by anybody else.",
    remedy="`chmod go-w` the folder.",
    each=lambda _: [(path, path) for path in ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin")],
    sabotage=changed_mode(lambda target: target.subject, "g+w", also=("hardening.files.system",)),
)
def test_the_search_path_is_roots(host: Host, subject: str, expect: Expect) -> None:
    found = host.file(subject)
    expect.equal("root", found.user, "owner")
    expect.that(found.mode & 0o022 == 0, "writable for root alone", f"mode {found.mode & 0o7777:04o}")


@promise(
    "hardening.files.separate",
    "File systems for run time and temporary files run no set-id programs and hold no devices.",
    remedy="Mount it with nosuid and nodev.",
    reads=("cat -- /proc/mounts",),
    each=lambda _: [(path, path) for path in ("/run", "/dev/shm", "/run/lock")],  # noqa: S108 # they are looked at
    sabotage=Sabotage(
        lambda target: f"mount -o remount,suid,nodev,noexec {target.subject}",
        lambda target: f"mount -o remount,nosuid,nodev,noexec {target.subject}",
        on=lambda target: target.subject == "/run",
    ),
)
def test_temporary_file_systems_hold_no_programs_of_others(host: Host, subject: str, expect: Expect) -> None:
    lines = [line.split() for line in str(host.check_output("cat -- /proc/mounts")).splitlines()]
    options = [fields[3].split(",") for fields in lines if fields[1] == subject]
    expect.some(options, f"mount at {subject}")
    expect.all_of(["nosuid", "nodev"], options[-1], "options")


MISUSE = "find /opt/pacslab /usr/local/bin -name '*misuse*' -o -path '*/misuse/*' -name '*.py'"


@promise(
    "hardening.files.no-misuse",
    "No host carries the attempts that it must refuse.",
    remedy="Remove it: checks and scenarios bring it along.",
    sabotage=Sabotage("touch /usr/local/bin/pacslab-misuse", "rm -f /usr/local/bin/pacslab-misuse"),
)
def test_no_host_carries_attempts(host: Host, expect: Expect) -> None:
    expect.none(host.run(MISUSE).stdout.split(), "files of pacslab-misuse")
