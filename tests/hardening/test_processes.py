"""Every process is one that a role needs, runs as the account that it should, and can do no more than it must."""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed, loaded_units, timed_units
from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.expect import not_applicable
from lab.verify.hardening.facts import PASSWD, PROCESSES, SHADOW, accounts, capability_names, processes
from lab.verify.hardening.sabotages import drop_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.allowed import AllowedProcess
    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect
    from lab.verify.hardening.facts import Process

READS = (PROCESSES, PASSWD, SHADOW)
HOST = "HOST"
"""In a list of capabilities: all that the container has."""
PASSING = {"systemd-executor", "(sd-executor)", "systemd-tmpfile", "logrotate", "systemctl", "agetty"}
"""What systemd runs for a moment on any host."""


def known(target: Target) -> Iterable[tuple[str, tuple[str, AllowedProcess]]]:
    return [(name, (name, entry)) for name, entry in allowed(target).processes.items()]


MOMENTARY = {
    *("pacslab-crl.service", "pacslab-databases.service", "pacslab-directory.service"),
    *("pacslab-siem-tables.service", "pacslab-console-tables.service"),
}
"""Units whose programs do their work and end."""


def lasting(target: Target) -> Iterable[tuple[str, tuple[str, AllowedProcess]]]:
    return [entry for entry in known(target) if entry[1][1].unit not in MOMENTARY]


def called(host: Host, name: str) -> list[Process]:
    found = [process for process in processes(host) if process.name == name]
    if not found:
        not_applicable(f"no {name} runs at the moment")
    return found


UNFILTERED = (
    *("SystemCallFilter=", "SystemCallArchitectures=", "RestrictAddressFamilies="),
    *(
        f"{setting}=no"
        for setting in (
            *("MemoryDenyWriteExecute", "LockPersonality", "PrivateDevices", "RestrictNamespaces", "RestrictRealtime"),
            *("RestrictSUIDSGID", "ProtectClock", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules"),
            "ProtectKernelTunables",
        )
    ),
)
"""Every setting by which systemd filters system calls."""
WITH_IT = ("hardening.processes.*", "hardening.units.*")


def is_ulogd(target: Target) -> bool:
    return bool(target.value[0] == "ulogd")


def weaker(*settings: str) -> Sabotage:
    return drop_in("ulogd2.service", *settings, also=WITH_IT, on=is_ulogd)


def impostor(*settings: str) -> Sabotage:
    """Another program under the name of ulogd, with settings of its own."""
    run = ("Type=simple", "PIDFile=", "ExecStart=", "ExecStart=/usr/local/bin/ulogd 600")
    made = weaker(*run, *settings)
    return replace(
        made,
        apply=lambda target: f"cp /bin/sleep /usr/local/bin/ulogd && {made.apply_on(target)}",
        undo=lambda target: f"rm -f /usr/local/bin/ulogd; {made.undo_on(target)}",
    )


@promise(
    "hardening.processes.known",
    "No process runs but those that the host's roles need, each in its own unit.",
    remedy="Find who started it (`pacslab exec HOST -- systemctl status PID`) and stop it, or list it for its role.",
    reads=READS,
    sabotage=Sabotage(
        "systemd-run --quiet --unit=sabotage sleep 600",
        "systemctl stop sabotage.service",
        also=("hardening.units.known",),
    ),
)
def test_no_process_runs_that_no_role_needs(host: Host, target: Target, expect: Expect) -> None:
    known_ones = allowed(target).processes
    every = processes(host)
    expect.some(every, "processes")
    by_pid = {process.pid: process for process in every}
    units = loaded_units(target) | timed_units(target)
    found = []
    for process in every:
        entry = known_ones.get(process.name)
        parent = by_pid.get(process.ppid)
        while parent is not None and parent.pid != 1 and parent.unit == process.unit:
            rule = known_ones.get(parent.name)
            if rule is not None and rule.children:
                entry = rule
            parent = by_pid.get(parent.ppid)
        # systemd's own, before it becomes the program
        begins = process.name.startswith("(") or process.arguments.startswith("/usr/lib/systemd/systemd-executor")
        if process.name in PASSING or (begins and process.unit in units):
            continue
        if entry is None or not fnmatchcase(process.unit, entry.unit):
            found.append(f"{process.name} ({process.arguments[:80]}) in {process.unit or 'no unit'}")
    expect.none(found, "processes beyond those of the roles")


@promise(
    "hardening.processes.user",
    "Every process runs as the account that its role names.",
    remedy="Restore the unit's User=, and restart it.",
    each=known,
    reads=READS,
    sabotage=impostor("User=games"),
)
def test_every_process_runs_as_its_account(host: Host, subject: tuple[str, AllowedProcess], expect: Expect) -> None:
    name, entry = subject
    names = {account.uid: account.name for account in reversed(accounts(host).values())}  # the first of an id counts
    expect.only(entry.user, [names.get(process.uid, str(process.uid)) for process in called(host, name)], "users")


@promise(
    "hardening.processes.capabilities",
    "No process may use a capability that it does not need.",
    remedy="Restore the unit's CapabilityBoundingSet= and User=, and restart it.",
    each=known,
    reads=READS,
    sabotage=impostor("User=ulog", "CapabilityBoundingSet=CAP_CHOWN", "AmbientCapabilities=CAP_CHOWN"),
)
def test_no_process_has_capabilities_beyond_its_own(
    host: Host, target: Target, subject: tuple[str, AllowedProcess], expect: Expect
) -> None:
    name, entry = subject
    may = set(allowed(target).capabilities) if HOST in entry.effective else set(entry.effective)
    for process in called(host, name):
        held = capability_names(process.effective) if process.uid == 0 or HOST in entry.effective else set()
        unprivileged = capability_names(process.effective | process.ambient) if process.uid else set()
        expect.only(may, sorted(held), "capabilities")
        expect.only(set(entry.ambient), sorted(unprivileged), "capabilities of an account other than root")


@promise(
    "hardening.processes.bounding",
    "No process, nor what it starts, can ever gain a capability beyond its bounding set.",
    remedy="Restore the unit's CapabilityBoundingSet=, and restart it.",
    each=lambda target: [entry for entry in known(target) if entry[1][1].bounding is not None],
    reads=READS,
    sabotage=drop_in(
        "rsyslog.service",
        "CapabilityBoundingSet=CAP_KILL",
        also=(*WITH_IT, "hardening.logs.*"),
        on=lambda target: bool(target.value[0] == "rsyslogd"),
    ),
)
def test_no_process_can_gain_capabilities(host: Host, subject: tuple[str, AllowedProcess], expect: Expect) -> None:
    name, entry = subject
    for process in called(host, name):
        expect.only(set(entry.bounding or ()), sorted(capability_names(process.bounding)), "capabilities to be gained")


@promise(
    "hardening.processes.no-new-privileges",
    "No process can gain privileges by running a program, but those that are listed.",
    remedy="Restore the unit's NoNewPrivileges=, and restart it.",
    each=lambda target: [entry for entry in known(target) if not entry[1][1].new_privileges],
    reads=READS,
    sabotage=weaker("NoNewPrivileges=no", *UNFILTERED),
)
def test_no_process_can_gain_privileges(host: Host, subject: tuple[str, AllowedProcess], expect: Expect) -> None:
    for process in called(host, subject[0]):
        expect.equal(True, process.no_new_privileges, f"NoNewPrivs of {process.pid}")  # noqa: FBT003 # a value to compare


@promise(
    "hardening.processes.filtered",
    "Every process's system calls are filtered, but those that are listed.",
    remedy="Restore the unit's SystemCallFilter= and Restrict...= settings, and restart it.",
    each=lambda target: [entry for entry in known(target) if entry[1][1].filtered],
    reads=READS,
    sabotage=weaker("NoNewPrivileges=no", *UNFILTERED),
)
def test_system_calls_are_filtered(host: Host, subject: tuple[str, AllowedProcess], expect: Expect) -> None:
    for process in called(host, subject[0]):
        expect.equal(2, process.seccomp, f"Seccomp mode of {process.pid}")  # PR_SET_SECCOMP(2): 2 is a filter


@promise(
    "hardening.processes.running",
    "The programs of the host's roles run.",
    remedy="`pacslab status`, then `pacslab up`.",
    each=lambda target: [
        (name, (name, entry))
        for name, (_, entry) in lasting(target)
        if entry.unit in allowed(target).units or entry.unit == "dbus.service"
    ],
    reads=READS,
    sabotage=Sabotage(
        "systemctl stop ulogd2",
        "systemctl start ulogd2",
        also=("hardening.processes.*", "hardening.units.*"),
        on=lambda target: target.value[0] == "ulogd",
    ),
)
def test_the_programs_of_the_roles_run(host: Host, subject: tuple[str, AllowedProcess], expect: Expect) -> None:
    name, entry = subject
    found = [process for process in processes(host) if process.name == name and process.unit == entry.unit]
    expect.that(bool(found), f"a process {name} in {entry.unit}", f"{len(found)} processes")


@promise(
    "hardening.processes.nodelay",
    "The archive sends small segments at once: without TCP_NODELAY, images take six times as long.",
    remedy="Restore Environment=TCP_NODELAY=1 of orthanc.service, and restart it.",
    where=has_role("orthanc"),
    reads=READS,
    sabotage=drop_in(
        "orthanc.service",
        "UnsetEnvironment=TCP_NODELAY",
        also=("hardening.archives.*", "hardening.sockets.served", *WITH_IT),
    ),
)
def test_small_segments_are_sent_at_once(host: Host, expect: Expect) -> None:
    for process in called(host, "Orthanc"):
        environment = host.file(f"/proc/{process.pid}/environ").content_string.split("\0")
        expect.that("TCP_NODELAY=1" in environment, "TCP_NODELAY=1", "another environment")
