"""Runs the parts of a night, goes on after one that failed, and ends with a table of what ran and how long.

Usage: ``python -m tests.night [PART...]``; without names, all. Exit code 0 when every part passed, 1 otherwise.
Each part's output is in ``.cache/night/``, and so is ``night.json``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TextIO

from lab.settings import ROOT
from tests.night.parts import Part, parts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PACSLAB = (str(ROOT / "lab" / "with-docker.sh"), sys.executable, "-m", "lab.cli.main")


@dataclass(frozen=True)
class Ran:
    """A part that ran: the command that failed, or none, and the seconds it took."""

    part: str
    failed: str
    seconds: float
    log: str


def run_part(part: Part, folder: Path) -> Ran:
    """Run a part's commands; their output goes to a file."""
    path = folder / f"{re.sub(r'[^a-z0-9]+', '-', part.name)}.log"
    began, failed = time.monotonic(), ""
    with path.open("w", encoding="utf-8") as log:
        for command in part.commands:
            if not failed and _run(command, log):
                failed = " ".join(command)
        for command in part.always:
            if _run(command, log):
                failed = failed or " ".join(command)
    return Ran(part.name, failed, round(time.monotonic() - began, 1), str(path))


def _run(command: Sequence[str], log: TextIO) -> int:
    argv = [*PACSLAB, *command[1:]] if command[0] == "pacslab" else list(command)
    log.write(f"\n$ {' '.join(command)}\n")
    log.flush()
    return subprocess.run(argv, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=False).returncode


def table(ran: Sequence[Ran]) -> str:
    """What ran, how it came out and how long it took, as aligned text."""
    rows = [("PART", "OUTCOME", "MINUTES", "")]
    rows += [
        (entry.part, "FAILED" if entry.failed else "passed", f"{entry.seconds / 60:.1f}", entry.failed) for entry in ran
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ["  ".join([*map(str.ljust, row[:3], widths), row[3]]).rstrip() for row in rows]
    return "\n".join(lines)


def main(wanted: Sequence[str]) -> int:
    """Run the night."""
    known = {part.name: part for part in parts()}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        sys.stderr.write(f"There is no part {unknown[0]!r}.\n  There are: {', '.join(known)}.\n")
        return 2
    folder = ROOT / ".cache" / "night"
    folder.mkdir(parents=True, exist_ok=True)
    ran = []
    for name in wanted or known:
        sys.stderr.write(f"night: {name} ...\n")
        ran.append(run_part(known[name], folder))
    (folder / "night.json").write_text(json.dumps([asdict(entry) for entry in ran], indent=1) + "\n", "utf-8")
    sys.stdout.write(table(ran) + "\n")
    return 1 if any(entry.failed for entry in ran) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
