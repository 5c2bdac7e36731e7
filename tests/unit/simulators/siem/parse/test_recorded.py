"""Lines that a running lab's collector kept (``recorded/<program>.jsonl``) say what stands beside each of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulators.events.actions import ACTIONS
from simulators.siem.fields import DATASETS, unknown
from simulators.siem.normalise.lines import of_line
from simulators.siem.parse.table import READERS, WORDS

RECORDED = Path(__file__).parent / "recorded"
OF_THE_LINE = frozenset({
    "@timestamp", "event.ingested", "pacslab.lag", "process.name", "process.pid", "host.name", "event.provider",
    "message",
})  # fmt: skip
"""Fields that every line has, whatever it says."""


def lines() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    found = []
    for path in sorted(RECORDED.glob("*.jsonl")):
        for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
            entry = json.loads(text)
            found.append((f"{path.stem}:{number}", entry["line"], entry["says"]))
    return found


LINES = lines()


@pytest.mark.parametrize(("line", "says"), [pytest.param(line, says, id=name) for name, line, says in LINES])
def test_a_recorded_line_says_this(line: dict[str, Any], says: dict[str, Any]) -> None:
    fields = of_line(line)
    assert {name: value for name, value in fields.items() if name not in OF_THE_LINE} == says
    assert unknown(fields) == []
    assert fields["event.dataset"] in DATASETS
    assert fields["host.name"] == line["host"]


def test_lines_of_every_program_that_runs_in_the_reference_site_are_recorded() -> None:
    recorded = {line["program"].partition("@")[0] for _, line, _ in LINES}
    on_some_hosts = {"useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "gpasswd", "passwd"}
    not_in_it = on_some_hosts | {"chpasswd", "su", "sudo", "sshd", "sshd-auth", "postgres"}
    assert set(READERS) - not_in_it - recorded == set()


def test_every_action_that_is_recorded_has_its_meaning_in_a_table() -> None:
    told = {says["event.action"] for _, _, says in LINES if says["event.dataset"] != "system.line"}
    assert told - set(ACTIONS) - set(WORDS) == set()
