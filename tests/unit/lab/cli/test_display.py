"""The live table stays readable on a narrow terminal."""

from __future__ import annotations

import io

from rich.console import Console

from lab.cli.display import LiveTable
from lab.events import HostPhase, Phase, StageStarted


def drawn(table: LiveTable, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_line_that_is_too_long_loses_its_end_and_nothing_else() -> None:
    table = LiveTable(["attacker1", "fw1"])
    table.take(StageStarted("configuration", "16 hosts"))
    table.take(HostPhase("attacker1", Phase.UNHEALTHY, "nothing listens on 11112/tcp " * 5 + "\nsecond line"))
    lines = [line.rstrip() for line in drawn(table, 60)]
    assert lines[1].startswith("attacker1  unhealthy  nothing listens on")
    assert lines[1].endswith("…")
    assert lines[2] == "fw1        waiting"
    assert lines[3].endswith("s  configuration 16 hosts")
    assert len(lines) == 4
