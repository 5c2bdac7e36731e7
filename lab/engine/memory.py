"""How much of the machine's memory the containers of a lab may take, and what a lab asks of the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.topology.site import Site

MEGABYTE = 1 << 20
PLACE = 32
"""Megabytes of a container that only holds a place in the network."""
FABRIC = 256
"""Megabytes that the fabric may take: its log, and what is run in it for a while."""
MACHINE = 700
"""Megabytes for the machine itself: its system, Docker, and the command that configures hosts."""


@dataclass(frozen=True)
class Asked:
    """What a lab asks of the machine, in megabytes.

    Attributes:
        needs: What all hosts take while the hospital works as usual.
        headroom: What the host with the most room above its need may take besides: one that goes to its limit leaves
            the others what they need.
    """

    needs: int
    headroom: int

    @property
    def total(self) -> int:
        """What the machine should have in all."""
        return self.needs + self.headroom + MACHINE

    def __str__(self) -> str:
        """In words."""
        total, needs, headroom, machine = (
            f"{megabytes / 1024:.1f} GB" for megabytes in (self.total, self.needs, self.headroom, MACHINE)
        )
        return f"{total}: {needs} for all hosts, {headroom} for one that goes to its limit, {machine} for the machine"


def asked(site: Site) -> Asked:
    """What a lab of a site asks of the machine; of a foreign device nobody knows what it needs but what it may take."""
    known = [site.memory(name) for name in site.managed]
    devices = [host.device.memory for host in site.hosts.values() if host.device is not None and host.device.image]
    headroom = max((memory.most - memory.needs for memory in known), default=0)
    return Asked(sum(memory.needs for memory in known) + sum(devices), headroom)


def limits(megabytes: int) -> dict[str, Any]:
    """What Docker is told of a container's memory: that much, and no swap; never 0, which would be no limit."""
    size = max(megabytes, PLACE) * MEGABYTE
    return {"Memory": size, "MemorySwap": size}
