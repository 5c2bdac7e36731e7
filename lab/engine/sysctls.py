"""Kernel settings of a host's own network, from the files that real machines read: each is stated once, in its role."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

OWN = ("net.ipv4.", "net.ipv6.", "net.unix.")
"""Settings of a network namespace; all others are the machine's, and a lab leaves them alone."""
LAB = {
    # a lab is addressed with IPv4 only; a host that had IPv6 would be reached past its flows
    "net.ipv6.conf.all.disable_ipv6": "1",
    "net.ipv6.conf.default.disable_ipv6": "1",
    # as Docker does by itself from 20.10 on: else hosts would need the capability NET_BIND_SERVICE
    "net.ipv4.ip_unprivileged_port_start": "0",
}
"""What only a lab's hosts have."""
ROLES = ROOT / "roles"


def read_sysctls(path: Path) -> dict[str, str]:
    """The settings of a file as sysctl.d(5) has it."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and line[0] not in "#;")
    return {name.strip(): value.strip() for name, _, value in pairs}


def sysctls_of(roles: Iterable[str], folder: Path = ROLES) -> dict[str, str]:
    """The settings of a host with these roles; what a later role says counts."""
    found: dict[str, str] = {}
    for role in roles:
        path = folder / role / "files" / "sysctl.conf"
        if path.is_file():
            found |= read_sysctls(path)
    return {**{name: value for name, value in found.items() if name.startswith(OWN)}, **LAB}
