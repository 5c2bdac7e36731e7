"""A host asks its services in time, and those again whose answer may have changed."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest
from role_programs import role_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def agent(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The health agent, whose kernel counts from 7; its signal handling is undone."""
    module = role_program("base", "health.py")
    monkeypatch.setattr(module, "filter_generation", lambda: 7)
    before = signal.getsignal(signal.SIGUSR1)
    yield module
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGUSR1, before)


class Probed:
    """A probe whose command fails while ``ill`` is there, and writes a line for each run."""

    def __init__(self, agent: ModuleType, folder: Path, depends_on: list[str]) -> None:
        """Nothing was asked yet."""
        self.runs, self.ill = folder / "runs", folder / "ill"
        script = f"echo run >> {self.runs}; test ! -e {self.ill}"
        self.probe = {"kind": "command", "command": ["sh", "-c", script], "depends_on": depends_on}
        self.commands = agent.Commands()

    def ask(self) -> bool:
        """Whether it is healthy."""
        return bool(self.commands.ask("service", self.probe)[0])

    @property
    def count(self) -> int:
        """How often its command ran."""
        return len(self.runs.read_text().splitlines())


def test_a_command_that_depends_on_nothing_named_runs_every_time(agent: ModuleType, tmp_path: Path) -> None:
    probed = Probed(agent, tmp_path, [])
    assert [probed.ask(), probed.ask()] == [True, True]
    assert probed.count == 2


def test_a_good_answer_stands_while_nothing_changes(agent: ModuleType, tmp_path: Path) -> None:
    probed = Probed(agent, tmp_path, [str(tmp_path / "ill"), "packet-filter"])
    assert [probed.ask(), probed.ask(), probed.ask()] == [True, True, True]
    assert probed.count == 1


def test_a_file_that_appears_changes_or_goes_is_asked_about(agent: ModuleType, tmp_path: Path) -> None:
    probed = Probed(agent, tmp_path, [str(tmp_path / "ill")])
    assert probed.ask()
    probed.ill.touch()
    assert not probed.ask()
    probed.ill.unlink()
    assert probed.ask()
    assert probed.count == 3


def test_a_bad_answer_never_stands(agent: ModuleType, tmp_path: Path) -> None:
    probed = Probed(agent, tmp_path, ["packet-filter"])
    probed.ill.touch()
    assert [probed.ask(), probed.ask()] == [False, False]
    probed.ill.unlink()
    assert probed.ask()
    assert probed.count == 3


def test_a_change_of_the_packet_filter_is_asked_about(
    agent: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = Probed(agent, tmp_path, ["packet-filter"])
    assert probed.ask()
    monkeypatch.setattr(agent, "filter_generation", lambda: 8)
    assert probed.ask()
    assert probed.count == 2


def test_the_agent_asks_at_once_when_told_also_when_it_was_told_while_asking(agent: ModuleType) -> None:
    wake = agent.wake_on_signal()
    os.kill(os.getpid(), signal.SIGUSR1)
    begun = time.monotonic()
    agent.pause(wake, 30)
    assert time.monotonic() - begun < 5
    agent.pause(wake, 0.2)
    assert time.monotonic() - begun >= 0.2


def test_an_answer_is_as_old_as_its_question(
    agent: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "ANSWERS", tmp_path / "health.json")
    agent.publish(5.0, {})
    assert '"at": 5.0' in (tmp_path / "health.json").read_text("utf-8")
