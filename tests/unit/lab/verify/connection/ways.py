"""Ways to this machine itself, for tests of what goes over them."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from lab.verify.connection.channel import PROGRAM, START, ChannelError

if TYPE_CHECKING:
    from collections.abc import Iterator


class LocalChannel:
    """An agent as a child of this process."""

    def __init__(self) -> None:
        """Start it."""
        argv = [sys.executable, *START[1:]]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.send(b"%d\n%s" % (len(PROGRAM), PROGRAM))

    def send(self, data: bytes) -> None:
        """Write to it."""
        assert self.process.stdin
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def pieces(self) -> Iterator[bytes]:
        """What it writes."""
        assert self.process.stdout
        while data := self.process.stdout.read1(65536):  # type: ignore[attr-defined]
            yield data

    def errors(self) -> str:
        """Nothing: a child says nothing beside."""
        return ""

    def close(self) -> None:
        """End it."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError, AttributeError):
                pipe.close()


class LocalWay:
    """Makes agents on this machine, and remembers them."""

    def __init__(self, unreachable_after: int = 100) -> None:
        """``unreachable_after``: how many agents can be made."""
        self.made: list[LocalChannel] = []
        self.unreachable_after = unreachable_after

    def open(self) -> LocalChannel:
        """Make another."""
        if len(self.made) >= self.unreachable_after:
            raise ChannelError("nobody there", remedy="none")
        self.made.append(LocalChannel())
        return self.made[-1]

    def __str__(self) -> str:
        """The address."""
        return "local://"
