"""How much processor time and memory a host's units have taken; sent to a host as text.

Arguments: systemd units. Prints a JSON object: for each unit, and for ``rest`` of all other processes, ``seconds`` of
processor time of its processes and of those children of theirs that have ended, and ``octets`` of memory, without
files and shared memory.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

REST = "rest"
TICK, PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


def unit_of(process: Path) -> str:
    """Return the unit of a process by its control group."""
    paths = [line.rpartition(":")[2] for line in (process / "cgroup").read_text("ascii").splitlines()]
    names = [part for path in paths for part in path.split("/") if part.endswith(".service")]
    return names[-1] if names else ""


def seconds_of(process: Path) -> float:
    """Return processor time of a process and of its children that have ended (proc(5), ``stat``)."""
    words = (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
    return sum(map(int, words[11:15])) / TICK


def octets_of(process: Path) -> int:
    """Return memory of a process (proc(5), ``statm``; what tells more, root of a container may not read)."""
    _, resident, shared, *_ = map(int, (process / "statm").read_text("ascii").split())
    return (resident - shared) * PAGE


def used(units: list[str]) -> dict[str, dict[str, float]]:
    """Return what units have taken."""
    found: dict[str, dict[str, float]] = {name: {"seconds": 0.0, "octets": 0} for name in [*units, REST]}
    for process in PROC.iterdir():
        if not process.name.isdigit():
            continue
        try:
            unit = unit_of(process)
            entry = found[unit if unit in units else REST]
            entry["seconds"] += seconds_of(process)
            if unit in units:
                entry["octets"] += octets_of(process)
        except OSError:
            continue  # it has ended meanwhile
    return found


if __name__ == "__main__":
    print(json.dumps(used(sys.argv[1:])))  # noqa: T201 - that is the answer
