"""A playbook's failures say where and why; its tasks become events."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.ansible import guard, play, strategy
from lab.ansible.play import Play
from lab.errors import AnsibleError, MachineNotReadyError, UsageError
from lab.events import Bus, Event, TaskFinished
from lab.settings import ROOT
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

LOCAL = f"""
all:
  vars: {{ansible_connection: local, ansible_python_interpreter: {sys.executable}}}
  hosts: {{one: , two: }}
"""

HOSTS = 2


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {"event": kind, "event_data": {"host": "ct1", "task": "Install", "role": "base", **data}}


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (event("runner_on_ok", res={"changed": False}), "ok"),
        (event("runner_on_ok", res={"changed": True}), "changed"),
        (event("runner_on_failed", res={"msg": "no"}), "failed"),
        (event("runner_on_skipped"), "skipped"),
        (event("runner_on_unreachable", res={"msg": "gone"}), "unreachable"),
    ],
)
def test_tasks_become_events(given: dict[str, Any], status: str) -> None:
    outcome = play._outcome(given)  # noqa: SLF001 # the table in it is what is promised
    assert outcome is not None
    assert (outcome.host, outcome.task, outcome.status) == ("ct1", "Install", status)


def test_other_events_are_none() -> None:
    assert play._outcome({"event": "playbook_on_stats", "event_data": {}}) is None  # noqa: SLF001


def test_a_failure_tells_what_a_command_printed() -> None:
    assert play.message({"msg": "non-zero return code", "stderr": "no such file", "stdout": ""}) == (
        "non-zero return code\nno such file"
    )


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[Event]]:
    """Run a playbook on this machine with Ansible as shipped, and return the events."""
    monkeypatch.setattr(strategy, "environment", lambda _order: {})
    inventory = tmp_path / "hosts.yaml"
    inventory.write_text(LOCAL)

    def start(text: str) -> list[Event]:
        playbook = tmp_path / "play.yml"
        playbook.write_text(text)
        bus, seen = Bus(), list[Event]()
        bus.subscribe(seen.append)
        Play(playbook, [inventory], tmp_path / "folder with spaces").run(bus)
        return seen

    return start


def test_a_run_emits_each_task_on_each_host(run: Callable[[str], list[Event]]) -> None:
    events = run("- hosts: all\n  gather_facts: false\n  tasks: [{name: Say, debug: {msg: hello}}]\n")
    assert {(entry.host, entry.task, entry.status) for entry in events if isinstance(entry, TaskFinished)} == {
        ("one", "Say", "ok"),
        ("two", "Say", "ok"),
    }


def test_a_failed_task_ends_in_an_error_that_names_host_task_and_reason(run: Callable[[str], list[Event]]) -> None:
    with pytest.raises(AnsibleError, match="one: role -, task 'Refuse': because") as caught:
        run("- hosts: one\n  gather_facts: false\n  tasks: [{name: Refuse, fail: {msg: because}}]\n")
    assert "folder with spaces" in caught.value.remedy


def test_a_playbook_that_is_not_one_ends_in_an_error_with_ansibles_words(run: Callable[[str], list[Event]]) -> None:
    with pytest.raises(AnsibleError, match="no_such_keyword"):
        run("- hosts: all\n  no_such_keyword: 1\n")


def test_mitogen_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(strategy.VARIABLE, raising=False)
    environment = strategy.environment("free")
    assert environment["ANSIBLE_STRATEGY"] == "mitogen_free"
    assert (Path(environment["ANSIBLE_STRATEGY_PLUGINS"]) / "mitogen_free.py").is_file()


def test_ansibles_own_strategy_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(strategy.VARIABLE, "linear")
    monkeypatch.setattr(strategy, "find_spec", lambda _name: None)
    with pytest.raises(MachineNotReadyError, match=r"community\.docker") as caught:
        strategy.environment("linear")
    assert "ansible" in caught.value.remedy


def test_an_unknown_strategy_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(strategy.VARIABLE, "fast")
    with pytest.raises(UsageError, match="fast"):
        strategy.environment("linear")


DRIVER = """
import sys
from pathlib import Path
from lab.ansible import strategy
from lab.ansible.play import Play
from lab.events import Bus
strategy.environment = lambda _order: {}
folder = Path(sys.argv[1])
bus = Bus()
bus.subscribe(lambda event: print(event.task, flush=True))
Play(folder / "play.yml", [folder / "hosts.yaml"], folder / "run").run(bus)
"""


def processes(word: str) -> list[int]:
    """Processes whose command line holds a word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word in path.read_text("utf-8", "replace").replace("\0", " "):
                found.append(int(path.parent.name))
        except OSError:  # it ended while we looked
            continue
    return found


def ignore_hang_ups() -> None:
    """As nohup does."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)


@pytest.mark.parametrize("prepare", [None, ignore_hang_ups], ids=["from a terminal", "under nohup"])
def test_ansible_ends_when_its_driver_is_killed(tmp_path: Path, prepare: Callable[[], None] | None) -> None:
    (tmp_path / "hosts.yaml").write_text(LOCAL)
    slow = tmp_path / "slow.sh"
    slow.write_text("trap '' HUP TERM\nsleep 90\nsleep 90\n")
    (tmp_path / "play.yml").write_text(
        "- hosts: all\n  gather_facts: false\n"
        f"  tasks: [{{name: Begun, debug: {{msg: x}}}}, {{name: Wait, command: sh {slow}}}]\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},  # what a killed module leaves
        preexec_fn=prepare,  # noqa: PLW1509 # one thread, and one system call
    ) as driver:
        assert driver.stdout is not None
        assert driver.stdout.readline() == "Begun\n"
        wait_until(lambda: len(processes(f"sh {slow}")) >= HOSTS, "the task's commands did not begin")
        driver.kill()
    wait_until(lambda: not processes(str(tmp_path)), "Ansible, or a task's command, goes on without its driver")


@pytest.mark.parametrize(("script", "code"), [("exit 0", 0), ("exit 4", 4), ("kill -TERM $$", 128 + signal.SIGTERM)])
def test_the_guard_passes_the_exit_code_through(script: str, code: int) -> None:
    done = subprocess.run([sys.executable, guard.__file__, str(os.getpid()), "sh", "-c", script], check=False)
    assert done.returncode == code


def test_the_guard_does_not_start_what_nobody_drives() -> None:
    command = [sys.executable, guard.__file__, str(os.getppid()), "sh", "-c", "echo started"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (130, "")
