"""A kept connection: many commands, one agent, made again when it is lost."""

from __future__ import annotations

import json
import queue
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.errors import EngineError
from lab.verify.connection.channel import ChannelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.verify.connection.channel import Channel, Way

TIMEOUT = 60.0
"""Seconds that a command may take."""
GRACE = 60.0
"""Seconds beyond a command's own limit after which the connection itself counts as dead: a machine whose processors are
busy with many labs was seen to need more than 15 to answer at all."""
AWAY_SECONDS = 5.0
"""For which a machine that could not be reached is not tried again: thousands of checks would each wait for it."""


@dataclass(frozen=True)
class Answered:
    """What a command came to; ``native`` where no process had to be started for it."""

    code: int
    out: bytes
    err: bytes
    native: bool


class Connection:
    """Runs commands on one machine; threads may share it, their requests follow one another.

    A connection that is found dead is made again once, and what was not answered is asked again: what is asked here
    reads, and may be asked twice.
    """

    def __init__(self, way: Way) -> None:
        """Nothing is connected before the first command."""
        self.way = way
        self.opened = 0
        self._live: _Live | None = None
        self._away: tuple[float, ChannelError] | None = None
        self._lock = threading.Lock()

    def run(self, command: str, timeout: float = TIMEOUT) -> Answered:
        """Run one command; after ``timeout`` seconds it is killed and its code is 124.

        Raises:
            ChannelError: the machine cannot be reached, also not on a second try.
        """
        return self.run_all([command], timeout)[0]

    def run_all(self, commands: Sequence[str], timeout: float = TIMEOUT) -> list[Answered]:
        """Run several commands in one round trip; each may take ``timeout`` seconds.

        Raises:
            ChannelError: the machine cannot be reached, also not on a second try, or could not a moment ago.
        """
        answers: list[Answered] = []
        with self._lock:
            if self._away is not None and time.monotonic() - self._away[0] < AWAY_SECONDS:
                raise ChannelError(self._away[1].message, remedy=self._away[1].remedy)
            self._away = None
            while len(answers) < len(commands):
                fresh = self._live is None
                try:
                    self._live = self._live or self._open()
                    self._live.ask(commands[len(answers) :], timeout, answers)
                except (OSError, EOFError, ValueError, EngineError) as error:
                    said = self._drop()
                    if fresh:
                        away = ChannelError(
                            f"{self.way} does not answer: {said or error or type(error).__name__}.",
                            remedy="It must run, and have python3; see `pacslab status`, or try `ssh` by hand.",
                        )
                        self._away = time.monotonic(), away
                        raise away from error
        return answers

    def _open(self) -> _Live:
        self.opened += 1
        return _Live(self.way.open())

    def _drop(self) -> str:
        """Forget the channel; return what it said beside the answers."""
        live, self._live = self._live, None
        if live is None:
            return ""
        live.channel.close()
        return live.channel.errors()

    def close(self) -> None:
        """End the agent; the next command starts another."""
        with self._lock, suppress(OSError):
            self._drop()


class _Live:
    """A channel with what was read from it and not yet used."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._buffer = bytearray()
        self._read: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        threading.Thread(target=self._reader, name="agent-reader", daemon=True).start()

    def _reader(self) -> None:
        with suppress(OSError, ValueError):  # closed under its hands: the end of the connection too
            for piece in self.channel.pieces():
                self._read.put(piece)
        self._read.put(None)

    def ask(self, commands: Sequence[str], timeout: float, answers: list[Answered]) -> None:
        """Send the commands, and append each answer as it comes."""
        request = json.dumps({"commands": list(commands), "timeout": timeout})
        self.channel.send(request.encode() + b"\n")
        for _ in commands:
            head = json.loads(self._line(timeout * len(commands) + GRACE))
            out, err = self._take(head["out"]), self._take(head["err"])
            answers.append(Answered(head["code"], out, err, head["native"]))

    def _more(self, patience: float) -> None:
        try:
            piece = self._read.get(timeout=patience)
        except queue.Empty:
            raise TimeoutError(f"nothing came for {patience:.0f} s") from None
        if piece is None:
            raise EOFError("the connection ended")
        self._buffer += piece

    def _line(self, patience: float) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            self._more(patience)
        return self._take(end + 1)

    def _take(self, length: int) -> bytes:
        while len(self._buffer) < length:
            self._more(GRACE)
        taken = bytes(self._buffer[:length])
        del self._buffer[:length]
        return taken
