"""Runs in namespaces of its own: joins hosts as the fabric does, sends frames from them, and tells which arrived.

Standard input: ``{"state": folder, "wanted": network without pids, "frames": [{"from", "to", "frame" (hex)}]}``.
Output: ``{"arrived": [bool],
"events": [event], "again": [change], "neighbours": {host: text}, "counted": {port: number}}``.
"""

from __future__ import annotations

import json
import select
import sys
import time
from typing import TYPE_CHECKING, Any

from lab.engine import port_log
from tests.unit.lab.engine.namespaces import Network, arrives

if TYPE_CHECKING:
    from lab.engine.wire import Thing


def trial(task: Thing) -> dict[str, Any]:
    """Do it all."""
    network = Network(task["wanted"], task["state"])
    try:
        kernel, counts = port_log.listen(), port_log.Counts()
        cards = {host: network.card(host) for host in network.pids}
        arrived = [
            arrives(cards[attempt["from"]], cards[attempt["to"]], bytes.fromhex(attempt["frame"]))
            for attempt in task["frames"]
        ]
        events = []
        while select.select([kernel], [], [], 0.2)[0]:
            events += [port_log.event_of(packet, time.time()) for packet in port_log.messages(kernel.recv(65536))]
        return {
            "arrived": arrived,
            "events": events,
            "again": network.changes[1],
            "neighbours": {host: network.run(host, "ip", "neigh", "show", "nud", "permanent") for host in network.pids},
            "counted": counts.grown(),
        }
    finally:
        network.close()


if __name__ == "__main__":
    json.dump(trial(json.load(sys.stdin)), sys.stdout)
