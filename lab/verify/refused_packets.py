"""Reads refusals out of collected events: what the firewall and the hosts' own filters turned away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lab.hospital.collected import is_event

PROGRAM = "ulogd"
"""The name under which refused packets are logged."""


@dataclass(frozen=True)
class RefusedPacket:
    """One packet that was turned away, as it was logged."""

    judge: str
    """``ZDENY``: the firewall, which knows zones; ``HDENY``: a host's own filter."""
    direction: str
    """``<source zone>><target zone>`` from the firewall, empty from a host."""
    source: str
    target: str
    protocol: str
    port: int


def refused_packets(lines: list[dict[str, Any]]) -> dict[RefusedPacket, float]:
    """The refusals among a host's collected lines, with the time of the last of each (epoch seconds)."""
    found: dict[RefusedPacket, float] = {}
    for line in lines:
        if not is_event(line, program=PROGRAM, action="connect", outcome="refused") or "port" not in line["data"]:
            continue
        refusal = _refusal(line["data"])
        found[refusal] = max(found.get(refusal, 0.0), datetime.fromisoformat(line["data"]["time"]).timestamp())
    return found


def _refusal(event: dict[str, Any]) -> RefusedPacket:
    zones = [event[key] for key in ("source_zone", "target_zone") if key in event]
    return RefusedPacket(
        judge="ZDENY" if zones else "HDENY",
        direction=">".join(zones),
        source=event["peer"],
        target=event["target"],
        protocol=event["protocol"],
        port=event["port"],
    )
