"""Alerts and incidents are asked of the repository on its host, and shown by level and rule."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lab.cli import alerts
from lab.engine.execute import Completed
from simulators.siem.sigma.model import Level
from tests.unit.lab.cli.command import run_verb
from tests.unit.site_builder import committed_site

ALERTS: list[dict[str, Any]] = [
    {
        "position": 8, "received": "2026-01-05T09:12:44.310000+00:00", "host": "fw1", "rule": "connection-without-flow",
        "level": "medium", "of": 7, "fields": {"summary": "A connection is tried: source.ip 10.24.99.11"},
    },
    {
        "position": 12, "received": "2026-01-05T09:12:45.310000+00:00", "host": "pacs-rad", "rule": "object-broken",
        "level": "high", "of": 11, "fields": {"summary": "An object is broken: dicom.calling_ae \x1b[2J"},
    },
]  # fmt: skip
INCIDENT = {
    "number": 8, "level": "high", "state": "open", "count": 4, "last": "2026-01-05T09:12:45.310000+00:00",
    "actor": {"field": "source.ip", "value": "10.24.99.11"}, "titles": ["One", "Two"], "rules": ["ports-scanned"],
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    asked: list[list[str]] = []

    def run(_host: str, argv: list[str], **_: Any) -> Completed:
        asked.append(argv)
        told = ALERTS if argv[1] == "alerts" else [INCIDENT]
        return Completed(0, "".join(f"{json.dumps(one)}\n" for one in told), "")

    lab = SimpleNamespace(site=committed_site("third-party-devices"), run=run)
    monkeypatch.setattr(alerts, "Lab", SimpleNamespace(open=lambda _: lab))
    return asked


def test_alerts_are_a_table_in_which_nothing_steers_the_terminal(
    asked: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    printed = run_verb(capsys, "alerts", "--since", "2026-01-05T00:00:00Z", "--limit", "5").out.splitlines()
    assert asked == [["pacslab-siem", "alerts", "--since", "2026-01-05T00:00:00Z", "--limit", "5"]]
    assert printed[0].split() == ["RECEIVED", "LEVEL", "RULE", "HOST", "WHAT"]
    assert "connection-without-flow" in printed[1]
    assert "\x1b" not in printed[2]


@pytest.mark.parametrize(
    ("words", "rules"),
    [
        ((), ["connection-without-flow", "object-broken"]),
        (("--level", "high"), ["object-broken"]),
        (("--level", "critical"), []),
        (("--rule", "connection-without-flow"), ["connection-without-flow"]),
    ],
)
@pytest.mark.usefixtures("asked")
def test_they_are_chosen_by_level_and_rule(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], rules: list[str]
) -> None:
    done = run_verb(capsys, "alerts", "--json", *words)
    assert done.code == 0
    assert [entry["rule"] for entry in json.loads(done.out)] == rules


@pytest.mark.usefixtures("asked")
def test_incidents_say_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    printed = run_verb(capsys, "alerts", "incidents").out.splitlines()
    assert printed[1].split() == ["8", "high", "open", "4", "2026-01-05T09:12:45", "10.24.99.11", "One;", "Two"]
    assert run_verb(capsys, "alerts", "incidents", "--rule", "other").out.count("\n") == 1


def test_levels_are_those_of_rules() -> None:
    assert tuple(str(level) for level in Level) == alerts.LEVELS
