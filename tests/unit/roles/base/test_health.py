"""A host asks its services in time, and those again whose answer may have changed."""

from __future__ import annotations

import os
import signal
import socket
import time
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.events import event_of_line
from tests.unit.roles.programs import role_program

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


def test_a_command_that_depends_on_nothing_named_runs_every_few_seconds(
    agent: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = Probed(agent, tmp_path, [])
    assert [probed.ask(), probed.ask()] == [True, True]
    assert probed.count == 1
    later = time.monotonic() + agent.STANDS
    monkeypatch.setattr(agent.time, "monotonic", lambda: later)
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
    assert agent.pause(wake, 30)
    assert time.monotonic() - begun < 5
    assert not agent.pause(wake, 0.2)
    assert time.monotonic() - begun >= 0.2


def test_an_answer_is_as_old_as_its_question(
    agent: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agent, "ANSWERS", tmp_path / "health.json")
    agent.publish(5.0, {})
    assert '"at": 5.0' in (tmp_path / "health.json").read_text("utf-8")


class Systemd:
    """Units with their starts, and a count of the questions about each."""

    def __init__(self, agent: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have one unit that runs."""
        self.folder, self.asked, self.state = folder, 0, "active"
        monkeypatch.setattr(agent, "INVOCATIONS", folder)
        monkeypatch.setattr(agent, "unit_states", self.states)
        self.units = agent.Units()
        self.start("first")

    def start(self, invocation: str) -> None:
        """Start the unit, or start it again if it runs."""
        link = self.folder / "invocation:edge.service"
        link.unlink(missing_ok=True)
        link.symlink_to(invocation)
        self.state = "active"

    def end(self) -> None:
        """End the unit."""
        (self.folder / "invocation:edge.service").unlink()
        self.state = "failed (failed, exit-code)"

    def states(self, units: list[str]) -> dict[str, str]:
        """Stand in for systemctl."""
        self.asked += 1
        return dict.fromkeys(units, self.state)

    def look(self) -> str:
        """The unit's state as the agent has it."""
        return str(self.units.states({"edge.service"})["edge.service"])


@pytest.fixture
def systemd(agent: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    return Systemd(agent, tmp_path, monkeypatch)


def test_systemd_is_asked_once_about_a_unit_that_goes_on(systemd: Systemd) -> None:
    assert [systemd.look(), systemd.look(), systemd.look()] == ["active"] * 3
    assert systemd.asked == 1


def test_a_unit_that_ended_is_asked_about_every_few_seconds_and_as_soon_as_it_was_started(
    systemd: Systemd, agent: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd.look()
    systemd.end()
    assert [systemd.look(), systemd.look()] == ["failed (failed, exit-code)"] * 2
    assert systemd.asked == 2
    systemd.state = "inactive (dead, success)"
    later = time.monotonic() + agent.ASK_STOPPED
    monkeypatch.setattr(agent.time, "monotonic", lambda: later)
    assert systemd.look() == "inactive (dead, success)"
    systemd.start("second")
    assert [systemd.look(), systemd.look()] == ["active"] * 2
    assert systemd.asked == 4


@pytest.mark.parametrize("unit", ["edge.service", "ssh.socket"])
def test_a_unit_that_is_just_starting_is_asked_about_every_second_round(
    systemd: Systemd, agent: ModuleType, monkeypatch: pytest.MonkeyPatch, unit: str
) -> None:
    systemd.state = "activating (start, success)"
    assert [systemd.units.states({unit})[unit] for _ in range(2)] == ["activating (start, success)"] * 2
    assert systemd.asked == 1
    systemd.state = "active"
    later = time.monotonic() + 2 * agent.STARTING_PERIOD
    monkeypatch.setattr(agent.time, "monotonic", lambda: later)
    assert systemd.units.states({unit})[unit] == "active"


def test_a_state_that_only_says_more_is_asked_for_less_often(
    systemd: Systemd, agent: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd.state = "activating (start, success)"
    ask_later = partial(systemd.units.states, {"edge.service"}, agent.ASK_TOLD)
    told, asked_at = ask_later(), time.monotonic()
    monkeypatch.setattr(agent.time, "monotonic", lambda: asked_at + agent.ASK_TOLD - 1)
    assert (ask_later(), systemd.asked) == (told, 1)
    systemd.state = "active"
    monkeypatch.setattr(agent.time, "monotonic", lambda: asked_at + agent.ASK_TOLD)
    assert (ask_later(), systemd.asked) == ({"edge.service": "active"}, 2)


def test_a_socket_whose_start_has_no_id_is_asked_about_each_time_it_runs(systemd: Systemd) -> None:
    for state in ("active", "inactive (dead, success)"):
        systemd.state = state
        assert systemd.units.states({"ssh.socket"}) == {"ssh.socket": state}


def test_a_command_is_not_run_before_its_service_has_been_started(
    systemd: Systemd, agent: ModuleType, tmp_path: Path
) -> None:
    probed = Probed(agent, tmp_path, [])
    services = {"clock": {"unit": "edge.service", "probe": probed.probe}}
    systemd.end()
    systemd.state = "inactive (dead, success)"
    answer = agent.ask(services, {}, systemd.units, probed.commands)["clock"]
    assert answer == {"healthy": False, "detail": "edge.service is inactive (dead, success)"}
    assert not probed.runs.exists()
    systemd.start("second")
    assert agent.ask(services, {}, systemd.units, probed.commands)["clock"]["healthy"]
    assert probed.count == 1


def test_a_unit_that_was_started_anew_is_asked_about(systemd: Systemd) -> None:
    systemd.look()
    systemd.start("second")
    systemd.state = "reloading (reload, success)"
    assert systemd.look() == "reloading (reload, success)"


def test_every_unit_is_asked_about_now_and_then(
    systemd: Systemd, agent: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    systemd.look()
    systemd.state = "deactivating (stop-sigterm, success)"
    later = time.monotonic() + agent.ASK_AGAIN + 1
    monkeypatch.setattr(agent.time, "monotonic", lambda: later)
    assert systemd.look() == "deactivating (stop-sigterm, success)"


def test_systemd_is_asked_about_a_unit_that_does_not_decide_only_when_its_service_is_ill(
    systemd: Systemd, agent: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = {"unit": "edge.service", "port": 6514, "protocol": "tcp", "probe": {"kind": "tcp"}}
    services, commands, listening = {"edge": service}, agent.Commands(), {6514}
    monkeypatch.setattr(agent, "listening_ports", lambda _: listening)
    assert agent.ask(services, {}, systemd.units, commands) == {"edge": {"healthy": True, "detail": ""}}
    assert systemd.asked == 0
    listening.clear()
    systemd.end()
    answer = agent.ask(services, {}, systemd.units, commands)["edge"]
    assert answer["detail"] == "nothing listens on 6514/tcp; edge.service is failed (failed, exit-code)"


def test_a_service_is_as_well_as_its_unit_where_nothing_else_is_asked(systemd: Systemd, agent: ModuleType) -> None:
    services, commands = {"log": {"unit": "edge.service", "probe": {"kind": "unit"}}}, agent.Commands()
    assert agent.ask(services, {}, systemd.units, commands)["log"]["healthy"]
    systemd.end()
    answer = agent.ask(services, {}, systemd.units, commands)["log"]
    assert answer == {"healthy": False, "detail": "edge.service is failed (failed, exit-code)"}


def test_a_unit_is_shown_in_the_state_that_it_was_judged_by(
    systemd: Systemd, agent: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    states = iter(["activating (auto-restart, exit-code)", "active"])
    monkeypatch.setattr(agent, "unit_states", lambda units: dict.fromkeys(units, next(states)))
    services, commands = {"log": {"unit": "edge.service", "probe": {"kind": "unit"}}}, agent.Commands()
    answer = agent.ask(services, {}, systemd.units, commands)["log"]
    assert answer == {"healthy": False, "detail": "edge.service is activating (auto-restart, exit-code)"}


def test_a_service_whose_health_changes_is_an_event(agent: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    services = {"hl7": {"unit": "pacslab-ris.service"}}
    good, bad = ({"hl7": {"healthy": healthy, "detail": "x"}} for healthy in (True, False))
    for before, after in [({}, bad), (bad, good), (good, good), (good, bad), (bad, bad)]:
        agent.tell(before, after, services)
    events = [event_of_line(line) for line in capsys.readouterr().out.splitlines()]
    about = {"action": "change-health", "service": "hl7", "unit": "pacslab-ris.service"}
    assert [event["outcome"] for event in events] == ["success", "failed"]
    assert all(about.items() <= event.items() for event in events)


@pytest.mark.parametrize("without", [False, True], ids=["sock_diag", "/proc"])
def test_who_listens_is_known_with_and_without_the_kernels_answer(
    agent: ModuleType, monkeypatch: pytest.MonkeyPatch, *, without: bool
) -> None:
    def missing() -> set[int]:
        raise OSError("no such module")

    if without:
        monkeypatch.setattr(agent, "tcp_listeners", missing)
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as caller:
        listening = agent.listening_ports("tcp")
        assert server.getsockname()[1] in listening
        assert caller.getsockname()[1] not in listening
