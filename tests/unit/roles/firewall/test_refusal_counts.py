"""Every minute the firewall tells how many packets of each zone it has refused, whether or not each was logged."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Run the program with these counters; the answer is zone, reason and packets of each event."""
    program = role_program("firewall", "refusal_counts.py")
    (tmp_path / "zones.json").write_text(json.dumps({"30": "guest", "20": "scanners"}))
    monkeypatch.setattr(program, "ZONES", tmp_path / "zones.json")
    monkeypatch.setattr(program, "KEPT", tmp_path / "kept.json")

    def run(**counters: int) -> list[tuple[str, str, int]]:
        monkeypatch.setattr(program, "read_counters", lambda: counters)
        program.main()
        events = [event_of_line(line) for line in capsys.readouterr().out.splitlines()]
        return [(event["source_zone"], event["reason"], event["packets"]) for event in events]

    return run


def test_what_has_grown_is_told_by_zone_and_reason(told: Callable[..., Any]) -> None:
    assert told(refused_30=7, forged_30=2, refused_20=0) == [("guest", "no-flow", 7), ("guest", "forged-source", 2)]
    assert told(refused_30=9, forged_30=2, refused_20=1) == [("guest", "no-flow", 2), ("scanners", "no-flow", 1)]


def test_nothing_is_told_where_nothing_happens(told: Callable[..., Any]) -> None:
    told(refused_30=7)
    assert told(refused_30=7) == []


def test_a_filter_that_was_loaded_again_counts_from_nothing(told: Callable[..., Any]) -> None:
    told(refused_30=7)
    assert told(refused_30=3) == [("guest", "no-flow", 3)]


def test_counters_of_something_else_are_left_alone(told: Callable[..., Any]) -> None:
    assert told(other=4, refused_99=5) == []


@pytest.mark.parametrize(
    ("said", "code", "counters"),
    [
        ('{"nftables": [{"counter": {"name": "refused_30", "packets": 7}}]}', 0, {"refused_30": 7}),
        ("Error: No such file or directory", 1, {}),
        ("Error: Operation not permitted", 1, None),
    ],
)
def test_a_filter_that_is_not_there_has_counted_nothing_and_one_that_cannot_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, code: int, counters: dict[str, int] | None
) -> None:
    nft = tmp_path / "nft"
    nft.write_text(f"#!/bin/sh\necho '{said}' {'>&2' if code else ''}\nexit {code}\n")
    nft.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    program = role_program("firewall", "refusal_counts.py")
    if counters is None:
        with pytest.raises(subprocess.CalledProcessError):
            program.read_counters()
    else:
        assert program.read_counters() == counters
