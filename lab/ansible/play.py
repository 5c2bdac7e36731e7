"""Run one playbook with ansible-runner: its tasks become events, its failures one error that says where and why."""

from __future__ import annotations

import os
import queue
import shlex
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.ansible import strategy
from lab.errors import AnsibleError
from lab.events import TaskFinished, Warned
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lab.events import Bus

WRAPPERS = Path(__file__).parent / "bin"
STATUS = {
    "runner_on_ok": "ok",
    "runner_on_failed": "failed",
    "runner_on_skipped": "skipped",
    "runner_on_unreachable": "unreachable",
}
COLLECTION = "pacslab.lab."
BAD = ("failed", "unreachable")
_SHOWN_FAILURES = 3
_SHOWN_LINES = 25


@dataclass(frozen=True)
class FailedTask:
    """A task that failed on a host."""

    host: str
    role: str
    task: str
    message: str

    def __str__(self) -> str:
        """One sentence, with what the task said."""
        return f"{self.host}: role {self.role or '-'}, task {self.task!r}: {self.message}"


@dataclass(frozen=True)
class TaskResult:
    """A task that ended on a host: the play it belongs to, its status as in :class:`TaskFinished`, and what it gave."""

    play: str
    host: str
    role: str
    task: str
    status: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Play:
    """A playbook with everything that a run of it needs; ``heard`` is given every result whole."""

    playbook: Path
    inventories: Sequence[Path]
    folder: Path
    variables: Sequence[Path] = ()
    limit: Sequence[str] = ()
    order: strategy.TaskOrder = "linear"
    heard: Callable[[TaskResult], None] | None = None
    remedy: str = "Correct the role; the whole output is in the folder 'artifacts' below {folder}."

    def run(self, bus: Bus) -> None:
        """Run the playbook to its end, or until Ctrl-C, which stops Ansible too.

        Raises:
            AnsibleError: a task failed, a host was not reached, or Ansible refused the playbook.
            MachineNotReadyError: Mitogen, or what stands in for it, is missing.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        run = _Run(self, strategy.environment(self.order))
        failures = []
        for event in run:
            outcome = _outcome(event)
            if outcome is None:
                continue
            bus.emit(outcome)
            for text in _warnings(event):
                bus.emit(Warned(f"{outcome.host}: {text}"))
            role = event["event_data"].get("role", "")
            if self.heard is not None:
                self.heard(_result(event, outcome, role))
            if outcome.status in BAD:
                failures.append(FailedTask(outcome.host, role, outcome.task, outcome.detail))
        if failures:
            more = len(failures) - _SHOWN_FAILURES
            lines = [str(failure) for failure in failures[:_SHOWN_FAILURES]] + (
                [f"and {more} more"] if more > 0 else []
            )
            raise AnsibleError("\n".join(lines), remedy=self.remedy.format(folder=self.folder))
        if run.code:
            raise AnsibleError(
                f"{self.playbook.name} ended with {run.code}:\n{run.tail()}",
                remedy=self.remedy.format(folder=self.folder),
            )


class _Run:
    """ansible-runner in a thread of its own, whose handler only enqueues; iterating gives its events in order."""

    def __init__(self, play: Play, environment: dict[str, str]) -> None:
        self._play = play
        self._environment = environment
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self.code = 0

    def __iter__(self) -> Any:
        """Start, and yield events until Ansible has ended."""
        thread = threading.Thread(target=self._work, name="ansible", daemon=True)
        thread.start()
        try:
            while (event := self._events.get()) is not None:
                yield event
        finally:
            self._stop.set()
            thread.join()
        if self._error is not None:
            raise AnsibleError(
                f"ansible-runner failed: {self._error}", remedy="Run 'make setup' to install it again."
            ) from self._error

    def tail(self) -> str:
        """The last lines that Ansible printed."""
        path = self._play.folder / "artifacts" / "last" / "stdout"
        return "\n".join(path.read_text("utf-8", "replace").splitlines()[-_SHOWN_LINES:]) if path.exists() else ""

    def _work(self) -> None:
        import ansible_runner  # noqa: PLC0415 # slow to import, and most of lab has no use for it

        try:
            result = ansible_runner.run(
                private_data_dir=str(self._play.folder),
                project_dir=str(ROOT),
                ident="last",
                playbook=str(self._play.playbook),
                inventory=[str(path) for path in self._play.inventories],
                cmdline=" ".join(f"-e @{shlex.quote(str(path))}" for path in self._play.variables) or None,
                limit=":".join(self._play.limit) or None,
                envvars={**_settings(), **self._environment},
                settings={"pexpect_timeout": 1, "suppress_ansible_output": True},
                event_handler=self._enqueue,
                cancel_callback=self._stop.is_set,
                suppress_env_files=True,
                fact_cache_type="",
                quiet=True,
            )
            self.code = int(result.rc or 0)
        except Exception as error:  # noqa: BLE001 # whatever it is, it belongs to the thread that waits
            self._error = error
        finally:
            self._events.put(None)

    def _enqueue(self, event: dict[str, Any]) -> bool:
        self._events.put(event)
        return False  # no file for each event: the run's output is kept whole


def _settings() -> dict[str, str]:
    """What every run of ours has in common; the rest stands in ``ansible.cfg``."""
    return {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_DEPRECATION_WARNINGS": "False",
        "ANSIBLE_FORCE_COLOR": "False",
        "ANSIBLE_NOCOLOR": "True",
        "PACSLAB_DRIVER": str(os.getpid()),
        "PACSLAB_PYTHON": sys.executable,
        "PATH": os.pathsep.join([str(WRAPPERS), os.environ.get("PATH", os.defpath)]),
    }


def _outcome(event: dict[str, Any]) -> TaskFinished | None:
    """What an event says of a task on a host; None for other events and for failures that the task allows."""
    status = STATUS.get(event["event"])
    data = event.get("event_data") or {}
    if status is None or "host" not in data or (status == "failed" and data.get("ignore_errors")):
        return None
    result = data.get("res") or {}
    if status == "ok" and result.get("changed"):
        status = "changed"
    return TaskFinished(data["host"], data.get("task", ""), status, message(result) if status in BAD else "")


def _warnings(event: dict[str, Any]) -> list[str]:
    """What a task of our own collection warns of; Ansible's own warnings stay in the run's output."""
    data = event["event_data"]
    ours = str(data.get("resolved_action", data.get("task_action", ""))).startswith(COLLECTION)
    return list((data.get("res") or {}).get("warnings", [])) if ours else []


def _result(event: dict[str, Any], outcome: TaskFinished, role: str) -> TaskResult:
    data = event["event_data"]
    return TaskResult(data.get("play", ""), outcome.host, role, outcome.task, outcome.status, data.get("res") or {})


def message(result: dict[str, Any]) -> str:
    """What a failed task says: its message, and the end of what a command printed."""
    words = [str(result[key]).strip() for key in ("msg", "stderr", "stdout") if result.get(key)]
    return "\n".join("\n".join(word.splitlines()[-_SHOWN_LINES:]) for word in dict.fromkeys(words)) or "no message"
