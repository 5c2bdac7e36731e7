"""No process of a host can do more than the table of capabilities says: not even its first, nor root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab.engine import names

if TYPE_CHECKING:
    from lab.engine.lab import Lab

# linux/capability.h
BITS = {
    "CHOWN": 0, "DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "FOWNER": 3, "FSETID": 4, "KILL": 5, "SETGID": 6, "SETUID": 7,
    "SETPCAP": 8, "LINUX_IMMUTABLE": 9, "NET_BIND_SERVICE": 10, "NET_BROADCAST": 11, "NET_ADMIN": 12, "NET_RAW": 13,
    "IPC_LOCK": 14, "IPC_OWNER": 15, "SYS_MODULE": 16, "SYS_RAWIO": 17, "SYS_CHROOT": 18, "SYS_PTRACE": 19,
    "SYS_PACCT": 20, "SYS_ADMIN": 21, "SYS_BOOT": 22, "SYS_NICE": 23, "SYS_RESOURCE": 24, "SYS_TIME": 25,
    "SYS_TTY_CONFIG": 26, "MKNOD": 27, "LEASE": 28, "AUDIT_WRITE": 29, "AUDIT_CONTROL": 30, "SETFCAP": 31,
    "MAC_OVERRIDE": 32, "MAC_ADMIN": 33, "SYSLOG": 34, "WAKE_ALARM": 35, "BLOCK_SUSPEND": 36, "AUDIT_READ": 37,
    "PERFMON": 38, "BPF": 39, "CHECKPOINT_RESTORE": 40,
}  # fmt: skip
ALLOWED = {
    "base": {
        *("CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_ADMIN", "SETGID", "SETPCAP", "SETUID", "SYS_ADMIN"),
    },
    "haproxy": {"SYS_CHROOT"},
}
"""The judge's own list: what a role may add to what its hosts can do; other roles add nothing."""
NEVER = ("NET_RAW", "SYS_MODULE", "SYS_PTRACE", "MKNOD", "SYS_RAWIO", "SYS_BOOT", "SYS_TIME", "BPF")


def capabilities(lab: Lab, host: str, process: str = "1") -> dict[str, set[str]]:
    """The sets of capabilities of a process, by their names in proc_pid_status(5)."""
    text = lab.run(host, ["cat", f"/proc/{process}/status"]).stdout
    masks = {name: int(mask, 16) for name, mask in re.findall(r"^Cap(\w+):\s*([0-9a-f]+)$", text, re.MULTILINE)}
    return {name: {one for one, bit in BITS.items() if mask >> bit & 1} for name, mask in masks.items()}


def allowed(lab: Lab, host: str) -> set[str]:
    """What a host's roles may do together."""
    return {capability for role in lab.site.hosts[host].roles for capability in ALLOWED.get(role, set())}


def test_every_hosts_first_process_has_exactly_what_the_table_says(lab: Lab) -> None:
    for host in lab.site.hosts:
        found = capabilities(lab, host)
        assert found["Eff"] == found["Bnd"] == allowed(lab, host), host


@pytest.mark.parametrize("capability", NEVER)
def test_no_process_of_a_host_can_gain_what_would_reach_beyond_it(lab: Lab, capability: str) -> None:
    for host in lab.site.hosts:
        for process in ("1", "self"):
            assert all(capability not in found for found in capabilities(lab, host, process).values()), host


def test_docker_gives_a_host_no_more_when_it_is_started_anew(lab: Lab) -> None:
    for host in lab.site.hosts:
        config = lab.docker.inspect(names.container(lab.name, host))["HostConfig"]
        assert not config["Privileged"]
        assert config["CapDrop"] == ["ALL"]
        assert {one.removeprefix("CAP_") for one in config["CapAdd"]} == allowed(lab, host)
        assert not config["Devices"]
        assert config["PidMode"] == config["UTSMode"] == ""
        assert config["NetworkMode"] == "none"
