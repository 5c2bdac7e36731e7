"""No process of a host can do more than the judge's own list says: not even its first, nor root."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.hardening.allowed import allowed
from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.facts import PROCESSES, capability_names, processes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

NEVER = (
    "NET_RAW", "SYS_MODULE", "SYS_PTRACE", "MKNOD", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "BPF", "PERFMON", "SYSLOG",
    "DAC_READ_SEARCH", "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "SETFCAP", "AUDIT_CONTROL", "CHECKPOINT_RESTORE",
)  # fmt: skip
"""What would reach beyond a host, or hide what was done on it."""
OWN = "grep -E '^Cap(Eff|Prm|Bnd|Amb|Inh):' /proc/self/status"


def never(target: Target) -> Iterable[tuple[str, str]]:
    return [(name, name) for name in NEVER if name not in allowed(target).capabilities]


def status(host: Host, command: str) -> dict[str, set[str]]:
    lines = (line.split() for line in str(host.check_output(command)).splitlines())
    return {name.rstrip(":"): capability_names(int(mask, 16)) for name, mask in lines}


@promise(
    "hardening.capabilities.first",
    "A host's first process has the capabilities that the host's roles need, and no others.",
    remedy="Remove the container; `pacslab up` makes it as it is described.",
    sabotage=Sabotage("true", "true", also=("hardening.*",), settings={"CapAdd": ["SYS_PTRACE"]}, started=True),
)
def test_the_first_process_has_what_the_roles_need(
    host: Host, container: Mapping[str, object], target: Target, expect: Expect
) -> None:
    del container  # on a machine of its own, process 1 has everything
    found = status(host, OWN.replace("self", "1"))
    known = set(allowed(target).capabilities)
    for kind in ("CapEff", "CapBnd"):
        expect.equal(sorted(known), sorted(found[kind]), f"capabilities ({kind})")
    expect.equal(set(), found["CapAmb"], "ambient")


@promise(
    "hardening.capabilities.never",
    "No process can gain what would reach beyond its host.",
    remedy="Remove the container; `pacslab up` makes it as it is described.",
    each=never,
    reads=(PROCESSES, OWN),
    sabotage=Sabotage(
        "true",
        "true",
        also=("hardening.*",),
        settings={"CapAdd": ["SYS_PTRACE"]},
        started=True,
        on=lambda target: target.value == "SYS_PTRACE",
    ),
)
def test_nothing_reaches_beyond_the_host(
    host: Host, container: Mapping[str, object], subject: str, expect: Expect
) -> None:
    del container
    expect.none([kind for kind, names in status(host, OWN).items() if subject in names], f"sets with {subject}")
    holders = [
        process.name
        for process in processes(host)
        if subject in capability_names(process.effective | process.bounding | process.ambient)
    ]
    expect.none(holders, f"processes that could gain {subject}")
