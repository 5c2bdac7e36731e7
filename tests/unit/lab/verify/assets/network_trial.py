"""Runs in namespaces of its own: joins hosts as the fabric does, and looks for assets there as the check does.

Standard input: ``{"state": folder, "wanted": network without pids, "gateway": host, "ask": task of sweep.py,
"stranger": {"bridge", "address"}, "silenced": port}``. Output: ``{"answers", "links", "table"}`` of the network as
described, and the same as ``"strange"`` after somebody plugged in, where ports let everything in, and as ``"silent"``
after the host at the port ``"silenced"`` does not answer any more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from lab.engine import wire
from lab.verify.assets import sweep
from tests.unit.lab.engine.namespaces import HOST, Network

if TYPE_CHECKING:
    from lab.engine.wire import Thing


def look(network: Network, task: Thing) -> dict[str, Any]:
    """What the check reads."""
    with network.inside(task["gateway"]):
        answers = sweep.run(task["ask"])
    links = json.loads(subprocess.run(["ip", "-j", "-d", "link", "show"], capture_output=True, check=True).stdout)
    table = json.loads(subprocess.run(["bridge", "-j", "fdb", "show"], capture_output=True, check=True).stdout)
    return {"answers": answers, "links": links, "table": table}


def trial(task: Thing) -> dict[str, Any]:
    """Look three times."""
    network = Network(task["wanted"], task["state"])
    stranger = subprocess.Popen(["unshare", "--net", "sh", "-c", HOST], stdout=subprocess.PIPE)
    assert stranger.stdout is not None
    stranger.stdout.readline()
    network.processes.append(stranger)
    try:
        found = look(network, task)
        bridge, address = task["stranger"]["bridge"], task["stranger"]["address"]
        wire.ip(
            [
                f"link add strange0 type veth peer name strange1 netns {stranger.pid}",
                f"link set strange0 master {bridge} up",
            ]
        )
        wire.enter(stranger.pid)
        wire.ip([f"addr add {address} dev strange1", "link set strange1 up"])
        wire.go_to(network.here)
        wire.nft("insert", "rule", "bridge", "ports", "enter", "accept")
        found["strange"] = look(network, task)
        wire.ip(["link del strange0"])
        port = task["silenced"]
        wire.nft("insert", "rule", "bridge", "ports", "enter", "iifname", port, "ether", "type", "arp", "drop")
        found["silent"] = look(network, task)
        return found
    finally:
        network.close()


if __name__ == "__main__":
    json.dump(trial(json.load(sys.stdin)), sys.stdout)
