"""Runs in namespaces of its own: joins hosts and a witness as the fabric does, and tells what the witness sees.

Standard input: ``{"state": folder, "wanted": network without pids, "frames": [{"from", "to", "frame" (hex)}]}``.
Output: ``{"copied": [how often the witness saw each], "sent": [whether a frame of the witness arrived at a host],
"counted": the kernel's table of what is dropped, "changes": [[change], ...] of four looks, "witness": what ip(8) says
of its interface before and after a repair, "rewired": [change] after a host had lost its link, "left": ports that are
copied after the mirror was taken away}``.
"""

from __future__ import annotations

import json
import select
import sys
import time
from typing import TYPE_CHECKING, Any

from lab.engine import wire
from lab.engine.mirror_ports import Mirrors, join, present_taps
from tests.unit.lab.engine.namespaces import PATIENCE, Network, arrives, frames_of

if TYPE_CHECKING:
    import socket

    from lab.engine.wire import Thing


def joined(network: Network, mirrors: list[Thing]) -> list[str]:
    """Join the mirrors as ``mirror_ports.main`` does; what was missing."""
    for mirror in mirrors:
        mirror["pid"] = network.pids[mirror["host"]]
    work = Mirrors(mirrors)
    work.join(network.here, apply=True)
    return work.changes + work.problems


def copies(listening: socket.socket, frame: bytes) -> int:
    """How often a frame is seen within a while."""
    found, deadline = 0, time.monotonic() + PATIENCE
    while (left := deadline - time.monotonic()) > 0 and select.select([listening], [], [], left)[0]:
        found += listening.recv(4096).rstrip(b"\0") == frame.rstrip(b"\0")
    return found


def trial(task: Thing) -> dict[str, Any]:
    """Do it all."""
    network = Network(task["wanted"], task["state"])
    mirrors = task["wanted"]["mirrors"]
    interface, witness = mirrors[0]["interface"], mirrors[0]["host"]
    try:
        changes = [joined(network, mirrors), joined(network, mirrors)]
        with network.inside(witness):
            listening = frames_of(interface)
        cards = {host: network.card(host) for host in network.pids}
        copied = []
        for attempt in task["frames"]:
            frame = bytes.fromhex(attempt["frame"])
            cards[attempt["from"]].send(frame)
            copied.append(copies(listening, frame))
        cards = {host: network.card(host) for host in network.pids}  # these have not taken the frames above
        sent = [arrives(listening, cards[attempt["to"]], bytes.fromhex(attempt["frame"])) for attempt in task["frames"]]
        counted = wire.nft("list", "ruleset", "netdev")
        state = network.run(witness, "ip", "address", "show", "dev", interface)
        network.run(witness, "ip", "address", "add", "10.1.41.77/24", "dev", interface)
        network.run(witness, "ip", "link", "set", interface, "arp", "on")
        changes.append(joined(network, mirrors))
        repaired = network.run(witness, "ip", "address", "show", "dev", interface)
        (rewired,) = [host for host in task["wanted"]["hosts"] if host["name"] == "b"]
        network.run("b", "ip", "link", "del", rewired["ports"][0]["interface"])
        again = join(task["wanted"], network.here, apply=True).changes
        changes.append(joined(network, []))
        return {
            "copied": copied, "sent": sent, "changes": changes, "witness": [state, repaired],
            "left": sorted(present_taps()), "counted": counted, "rewired": again,
        }  # fmt: skip
    finally:
        network.close()


if __name__ == "__main__":
    json.dump(trial(json.load(sys.stdin)), sys.stdout)
