"""A Testinfra backend over a kept connection; what many checks ask is read once, in one round trip."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from testinfra.backend.base import BaseBackend, CommandResult
from testinfra.host import Host

from lab.verify.connection.connection import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.verify.connection.connection import Connection


@dataclass(frozen=True)
class Reading:
    """A command with its answer, and when it was given, in seconds since 1970."""

    command: str
    result: CommandResult
    at: float


class KeptBackend(BaseBackend):  # type: ignore[misc] # Testinfra carries no types
    """Runs what Testinfra asks through a connection that stays.

    What is read ahead (:meth:`read_ahead`) is answered from memory when it is asked; everything else is asked of the
    machine each time.

    Attributes:
        log: Every answer since :meth:`start_log`, for who wants to keep what a check has read.
        memory: What was read ahead.
    """

    NAME = "pacslab"

    def __init__(self, connection: Connection, hostname: str) -> None:
        """``hostname`` is what Testinfra calls the machine."""
        super().__init__(hostname)
        self.connection = connection
        self.log: list[Reading] = []
        self.memory: dict[str, Reading] = {}
        self._encoding = "UTF-8"  # of what is not ASCII; Testinfra would start a Python there to ask

    def run(self, command: str, *args: str, **kwargs: Any) -> CommandResult:
        """Run a command; ``timeout`` in seconds may be given."""
        text = self.get_command(command, *args)
        kept = self.memory.get(text)
        if kept is None:
            kept = self._reading(text, kwargs.get("timeout", TIMEOUT))
        self.log.append(kept)
        return kept.result

    def start_log(self) -> None:
        """Forget what was logged."""
        self.log = []

    def read_ahead(self, commands: Iterable[str]) -> None:
        """Run these commands in one round trip, and remember the answers."""
        wanted = [command for command in dict.fromkeys(commands) if command not in self.memory]
        if not wanted:
            return
        now = time.time()
        for command, answered in zip(wanted, self.connection.run_all(wanted), strict=True):
            self.memory[command] = Reading(
                command, self.result(answered.code, command.encode(), answered.out, answered.err), now
            )

    def _reading(self, text: str, timeout: float) -> Reading:
        answered = self.connection.run(text, timeout)
        return Reading(text, self.result(answered.code, text.encode(), answered.out, answered.err), time.time())


def kept_host(connection: Connection, name: str) -> Host:
    """A Testinfra host over the connection."""
    backend = KeptBackend(connection, name)
    host = Host(backend)
    backend.set_host(host)
    return host
