"""The collector closes its edge before its disk is full, and does not open it before there is room to spare."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

WANTED = {"megabytes": 100, "percent": 50, "inodes_percent": 0}


@pytest.fixture
def room() -> ModuleType:
    return role_program("log_collector", "collector_room.py")


@pytest.mark.parametrize(
    ("free", "had", "has"),
    [(49, "open", False), (51, "open", True), (51, "closed", False), (74, "closed", False), (76, "closed", True)],
)
def test_between_the_two_bounds_it_stays_as_it_is(
    free: int, had: str, has: object, room: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = SimpleNamespace(f_bavail=free, f_frsize=1 << 20, f_blocks=1000)
    monkeypatch.setattr(room.os, "statvfs", lambda _: facts)
    assert room.has_room(room.FOLDER, WANTED, had=had == "open") is has


@pytest.fixture
def edge(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, list[str]]:
    """The edge's program, with what it tells the edge."""
    module, told = role_program("log_collector", "collector_edge.py"), []
    (tmp_path / "port").write_text("6514")
    monkeypatch.setattr(module, "PORT", tmp_path / "port")
    monkeypatch.setattr(module, "FULL", tmp_path / "full")
    monkeypatch.setattr(module, "tell_edge", told.append)
    monkeypatch.setattr(module, "reset_senders", lambda: told.append("reset"))
    monkeypatch.setattr(module, "runs", lambda: True)
    return module, told


def say(module: ModuleType, verb: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "argv", ["collector-edge", verb])
    module.main()


def test_a_collector_that_starts_while_its_disk_is_full_lets_nobody_in(
    edge: tuple[ModuleType, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, told = edge
    say(module, "full", monkeypatch)
    assert told == ["disable", "reset"]
    say(module, "open", monkeypatch)
    assert told == ["disable", "reset"]
    say(module, "room", monkeypatch)
    assert told == ["disable", "reset", "enable"]


def test_room_does_not_open_the_edge_of_a_collector_that_does_not_run(
    edge: tuple[ModuleType, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    module, told = edge
    monkeypatch.setattr(module, "runs", lambda: False)
    say(module, "room", monkeypatch)
    assert told == []
    say(module, "open", monkeypatch)
    assert told == ["enable"]


def test_without_a_flow_there_is_no_edge(edge: tuple[ModuleType, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    module, told = edge
    os.unlink(module.PORT)  # noqa: PTH108 # a path that the test has put there
    say(module, "full", monkeypatch)
    assert told == []
