"""systemd's units run as hardened as they are meant to be, and none runs that nobody needs."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed, loaded_units, timed_units
from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.expect import not_applicable
from lab.verify.hardening.facts import EXPOSURES, FAILED, UNIT_FILES, UNITS, exposures, unit_files, units
from lab.verify.hardening.sabotages import changed_file, drop_in

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

READS = (UNITS, FAILED)
SYSTEM = (
    "systemd-", "dbus.", "getty@", "console-getty", "container-getty", "user@", "user-runtime-dir@", "e2scrub",
    "logrotate.",
    "apt-daily", "dpkg-db-backup", "fstrim", "syslog.", "modprobe@", "emergency", "rescue", "postgresql.service",
    "ldconfig",
    "nginx.service", "initrd-", "kmod", "plymouth", "sshd", "ssh.", "cron", "session-",
)  # fmt: skip
"""What Debian brings and a host may load."""
DEBIAN = ("systemd-", "dbus.", "ssh", "chrony.", "cron.")
"""Services that no role of ours configures."""
PROMISED = {
    # setting: what it has to be, on every service that a role runs for others
    "NoNewPrivileges": {"yes"},
    "ProtectSystem": {"full", "strict", "yes"},
    "ProtectHome": {"yes", "read-only", "tmpfs"},
    "LockPersonality": {"yes"},
    "RestrictAddressFamilies": None,  # some restriction
}
EXPOSURE = 4.0
"""What systemd-analyze security may say of a service of ours, where 10 is a service that may do all that root may."""


BOUNDED = frozenset(
    {"orthanc.service", "pacslab-image-manager.service", "pacslab-modality.service", "pacslab-ris.service",
     "pacslab-ehr.service", "pacslab-audit.service"}
)  # fmt: skip
LIMITS = {"MemoryMax": 2 << 30, "TasksMax": 512}


def described(target: Target) -> Iterable[tuple[str, str]]:
    """The units of the described services."""
    found = dict.fromkeys(service.unit for service in target.site.services(target.host).values())
    return [(unit, unit) for unit in dict.fromkeys([*found, *allowed(target).units])]


def settings(target: Target) -> Iterable[tuple[str, tuple[str, str]]]:
    return [
        (f"{unit} {setting}", (unit, setting))
        for unit, _ in described(target)
        if unit.endswith(".service") and not unit.startswith("systemd-")
        for setting in PROMISED
    ]


def bounded(target: Target) -> list[str]:
    """The services of the host that read what peers send and are not made for strangers."""
    return [unit for unit, _ in described(target) if unit in BOUNDED]


def services(target: Target) -> Iterable[tuple[str, str]]:
    """Every service that a role brings or configures, and those that it starts by a timer."""
    found = dict.fromkeys([unit for unit, _ in described(target)] + sorted(loaded_units(target)))
    return [(unit, unit) for unit in found if unit.endswith(".service") and not unit.startswith(DEBIAN)]


def weakened(target: Target) -> str:
    unit, setting = target.value
    value = {"RestrictAddressFamilies": ""}.get(setting, "no")
    return (
        f"mkdir -p /run/systemd/system/{unit}.d && printf '[Service]\\n{setting}={value}\\n'"
        f" >/run/systemd/system/{unit}.d/zz-sabotage.conf && systemctl daemon-reload"
    )


@promise(
    "hardening.units.running",
    "Every unit that the host's services need is active, and starts at boot.",
    remedy="`systemctl enable --now` it; see its service in `pacslab status`.",
    each=described,
    reads=READS,
    sabotage=Sabotage(
        "systemctl stop ulogd2",
        "systemctl start ulogd2",
        also=("hardening.processes.*",),
        on=lambda target: target.subject == "ulogd2.service",
    ),
)
def test_every_unit_is_active(host: Host, subject: str, expect: Expect) -> None:
    found = units(host).get(subject, {})
    expect.equal("active", found.get("ActiveState", "not loaded"), "state")


@promise(
    "hardening.units.enabled",
    "Every unit that the host's services need starts at boot.",
    remedy="`systemctl enable` it.",
    each=described,
    reads=(UNITS, UNIT_FILES),
    sabotage=Sabotage(
        "systemctl disable --quiet ulogd2",
        "systemctl enable --quiet ulogd2",
        on=lambda target: target.subject == "ulogd2.service",
    ),
)
def test_every_unit_starts_at_boot(host: Host, subject: str, expect: Expect) -> None:
    loaded = units(host).get(subject, {}).get("UnitFileState")
    state = loaded or unit_files(host).get(subject, "not there")  # one that was stopped may not be loaded
    expect.that(
        state in {"enabled", "enabled-runtime", "static", "alias", "indirect", "generated"}, "started at boot", state
    )


@promise(
    "hardening.units.restarted",
    "Every service is started however often that is asked: new certificates and crashes in a row leave none stopped.",
    remedy="StartLimitIntervalSec=0 in the unit's file of its role: `pacslab up --again`.",
    each=services,
    reads=READS,
    sabotage=drop_in(
        lambda target: target.subject,
        "[Unit]",
        "StartLimitIntervalSec=10",
        restart=False,
        on=lambda target: target.subject == "ulogd2.service",
    ),
)
def test_no_service_is_given_up(host: Host, subject: str, expect: Expect) -> None:
    found = units(host).get(subject, {})
    if found.get("Type", "oneshot") == "oneshot":
        not_applicable("it is not to last, or is not loaded now")
    expect.equal("0", found.get("StartLimitIntervalUSec"), "interval in which starts are counted")


@promise(
    "hardening.units.bounded",
    "Every service that takes what peers send has a limit of memory and of tasks.",
    remedy="Give its unit MemoryMax and TasksMax.",
    each=lambda target: [(f"{unit} {limit}", (unit, limit)) for unit in bounded(target) for limit in LIMITS],
    reads=READS,
    sabotage=drop_in(
        lambda target: target.value[0],
        "MemoryMax=infinity",
        restart=False,
        on=lambda target: target.value[1] == "MemoryMax",
    ),
)
def test_a_service_that_peers_can_fill_is_bounded(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    unit, limit = subject
    value = units(host).get(unit, {}).get(limit, "not loaded")
    expect.that(value.isdigit() and int(value) <= LIMITS[limit], f"{limit} of {LIMITS[limit]} at most", value)


@promise(
    "hardening.units.healthy",
    "No unit has failed.",
    remedy="`systemctl status` the unit, correct what it says, and `systemctl reset-failed` it.",
    reads=READS,
    sabotage=Sabotage(
        "systemd-run --quiet --unit=sabotage false; sleep 0.5",
        "systemctl reset-failed sabotage.service",
        also=("hardening.units.known",),
    ),
)
def test_no_unit_has_failed(host: Host, target: Target, expect: Expect) -> None:
    found = [line.split()[0] for line in str(host.check_output(FAILED)).splitlines()]
    # what a timer starts again soon is judged by what it is to bring about: hardening.certificates.revocation
    again = timed_units(target)
    expect.none([unit for unit in found if unit not in again], "failed units")


@promise(
    "hardening.units.known",
    "No service runs but those of the host's roles and of Debian's base.",
    remedy="`systemctl disable --now` it, or describe it as a service of its role.",
    reads=READS,
    sabotage=Sabotage(
        "systemd-run --quiet --unit=sabotage sleep 600",
        "systemctl stop sabotage.service",
        also=("hardening.processes.known",),
    ),
)
def test_no_unit_runs_that_no_role_needs(host: Host, target: Target, expect: Expect) -> None:
    known = {unit for unit, _ in described(target)} | loaded_units(target)
    found = [
        name
        for name, unit in units(host).items()
        if unit.get("ActiveState") in {"active", "failed"}
        and name.endswith(".service")
        and not any(fnmatchcase(name, pattern) for pattern in known)
        and not name.startswith((*SYSTEM, "pacslab-network", "pacslab-hosts"))
    ]
    expect.none(found, "running services beyond those of the roles")


@promise(
    "hardening.units.sandboxed",
    "Every service runs with the sandbox settings that it can bear.",
    remedy="Restore the unit's file of its role: `pacslab up --again`.",
    each=settings,
    reads=READS,
    sabotage=Sabotage(
        weakened,
        lambda target: f"rm -rf /run/systemd/system/{target.value[0]}.d; systemctl daemon-reload",
        on=lambda target: target.value == ("ulogd2.service", "ProtectHome"),
    ),
)
def test_every_service_is_sandboxed(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    unit, setting = subject
    found = units(host).get(unit)
    if found is None:
        not_applicable(f"{unit} is not loaded")
        return
    value, wanted = found.get(setting, ""), PROMISED[setting]
    if wanted is None:
        expect.that(value not in {"", "~"}, f"{setting} restricts", f"{setting}={value}")
    else:
        expect.that(value in wanted, f"{setting} of {' or '.join(sorted(wanted))}", f"{setting}={value}")


@promise(
    "hardening.units.exposure",
    "No service of ours is exposed beyond 4.0 of 10, as systemd judges it.",
    remedy="`systemd-analyze security UNIT` on the host names the settings that it lacks; restore those of its role.",
    each=services,
    reads=(UNITS, EXPOSURES),
    sabotage=drop_in(
        "ulogd2.service",
        "CapabilityBoundingSet=~",
        "NoNewPrivileges=no",
        "SystemCallFilter=",
        "RestrictNamespaces=no",
        "PrivateDevices=no",
        also=("hardening.processes.*", "hardening.units.sandboxed"),
        on=lambda target: target.subject == "ulogd2.service",
    ),
)
def test_no_service_is_exposed(host: Host, subject: str, expect: Expect) -> None:
    found = exposures(host)
    expect.some(found, "services that systemd judges")
    if subject not in found:
        not_applicable(f"{subject} is not loaded")
        return
    expect.that(found[subject] <= EXPOSURE, f"an exposure of {EXPOSURE} or less", f"{found[subject]}")


@promise(
    "hardening.units.closed-start",
    "A stopped packet filter stays in force: stopping its unit opens nothing.",
    remedy="Restore /etc/systemd/system/nftables.service.d/pacslab.conf.",
    sabotage=changed_file(
        "/etc/systemd/system/nftables.service.d/pacslab.conf",
        "sed -i '/^ExecStop=$/d' $FILE",
        then="systemctl daemon-reload",
    ),
)
def test_stopping_the_filter_opens_nothing(host: Host, expect: Expect) -> None:
    said = str(host.check_output("systemctl show --property=ExecStop --value nftables.service"))
    expect.that("flush" not in said, "no command that empties the filter", said or "no command at all")
