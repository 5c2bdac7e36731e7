#!/usr/bin/python3 -IS
"""Tell how many packets of each zone the firewall has refused since the last time, one event a zone and reason.

Each refusal is logged by itself only as far as its sender's and its zone's share goes; this is all of them. The
counters are those of /etc/nftables.d/20-zones.nft, the zones' names those of /etc/pacslab/zones.json: ``{vlan: name}``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event

ZONES = Path("/etc/pacslab/zones.json")
KEPT = Path("/run/pacslab/refusal-counts.json")
NO_TABLE = "No such file or directory"
REASONS = {"refused": "no-flow", "forged": "forged-source"}


def read_counters() -> dict[str, int]:
    """Return the filter's counters by name, in packets; nothing while there is no filter, which health tells."""
    command = ["nft", "--json", "list", "counters", "table", "inet", "filter"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if NO_TABLE in done.stderr:
        return {}
    done.check_returncode()
    listed = json.loads(done.stdout)["nftables"]
    return {entry["counter"]["name"]: entry["counter"]["packets"] for entry in listed if "counter" in entry}


def grown(before: dict[str, int], now: dict[str, int]) -> dict[str, int]:
    """Return how much each has grown; one that is less than before began anew, as after a reload of the filter."""
    since = {name: count - before.get(name, 0) for name, count in now.items()}
    return {name: more if more >= 0 else now[name] for name, more in since.items() if more}


def main() -> None:
    """Tell what has grown, and keep what there is now."""
    zones = json.loads(ZONES.read_text("utf-8"))
    before = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    now = read_counters()
    for name, count in grown(before, now).items():
        kind, _, vlan = name.partition("_")
        if kind in REASONS and vlan in zones:
            write_event("connect", "refused", REASONS[kind], source_zone=zones[vlan], packets=count)
    draft = KEPT.with_suffix(".new")
    draft.write_text(json.dumps(now), "utf-8")
    draft.replace(KEPT)


if __name__ == "__main__":
    main()
