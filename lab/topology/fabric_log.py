"""How the lines of the fabric, which is no host, get into the collected log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.topology.site import Site

SOURCE = "fabric"
"""Whose log they are in."""
LOOPBACK = "127.2.0.1"
"""The loopback address of the collector's host that they come from; senders with a certificate have others."""


@dataclass(frozen=True)
class FabricLog:
    """Where the fabric's lines go: a loopback port of a host."""

    host: str
    port: int


def fabric_log(site: Site) -> FabricLog | None:
    """Where the site takes the fabric's lines; None where it collects no log."""
    for host in site.hosts:
        for service in site.services(host).values():
            if service.provides == "fabric-log" and service.port is not None:
                return FabricLog(host, service.port)
    return None
