"""Reads refusals out of collected log lines: what the firewall and the hosts' own filters turned away."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

PREFIX = re.compile(r"^(?P<judge>[ZH]DENY)(?:\s+(?P<direction>\S+))?")
"""``ZDENY <source zone>><target zone>`` from the firewall, ``HDENY`` from a host's own filter."""

PROTOCOLS = {6: "tcp", 17: "udp"}
"""IP protocol numbers that matter here (IANA)."""


@dataclass(frozen=True)
class RefusedPacket:
    """One packet that was turned away, as it was logged."""

    judge: str
    direction: str
    source: str
    target: str
    protocol: str
    port: int


def refused_packets(lines: list[dict[str, Any]]) -> dict[RefusedPacket, float]:
    """The refusals among a host's collected lines, with the time of the last of each (epoch seconds; 0 if unknown)."""
    found: dict[RefusedPacket, float] = {}
    for line in lines:
        for packet in _packets(line):
            refusal = _refusal(packet)
            if refusal is not None:
                found[refusal] = max(found.get(refusal, 0.0), float(packet.get("oob.time.sec", 0)))
    return found


def _packets(line: dict[str, Any]) -> list[dict[str, Any]]:
    """The packet records in a line: the line itself, or JSON text in one of its fields."""
    packets = [line]
    for value in line.values():
        if isinstance(value, dict):
            packets.append(value)
        elif isinstance(value, str) and "oob.prefix" in value:
            try:
                packets.append(json.loads(value[value.index("{") :]))
            except ValueError:
                continue
    return packets


def _refusal(packet: dict[str, Any]) -> RefusedPacket | None:
    prefix = PREFIX.match(str(packet.get("oob.prefix", "")).strip())
    if prefix is None or "dest_port" not in packet:
        return None
    return RefusedPacket(
        judge=prefix["judge"],
        direction=(prefix["direction"] or "").rstrip(":"),
        source=str(packet.get("src_ip")),
        target=str(packet.get("dest_ip")),
        protocol=PROTOCOLS.get(int(packet.get("ip.protocol", 0)), "other"),
        port=int(packet["dest_port"]),
    )
