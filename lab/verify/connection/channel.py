"""How an agent is reached: through the lab's engine, or with SSH."""

from __future__ import annotations

import shlex
import socket
import subprocess
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from lab.engine.execute import Stream
from lab.errors import EngineError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.client import Docker

PROGRAM = Path(__file__).with_name("agent.py").read_bytes()
STARTER = (
    "import sys; source = sys.stdin.buffer.read(int(sys.stdin.buffer.readline())); "
    "exec(compile(source, 'pacslab-agent', 'exec'))"
)
"""Takes the agent's text from its input: as an argument it would show in the list of processes of every host."""
START = ["python3", "-I", "-c", STARTER]
"""Without ``-u``: its unbuffered output drops the rest of an answer whose writing a signal has cut short."""
ERRORS_KEPT = 2000
"""Characters of what a channel says beside the answers; the last of it is told when it breaks."""
CONNECT_SECONDS = 30
"""To reach a machine and hear from its SSH server, which starts for each connection where nobody is there otherwise."""


class ChannelError(EngineError):
    """The connection to a machine broke, or could not be made."""


class Channel(Protocol):
    """Bytes to and from a started agent."""

    def send(self, data: bytes) -> None:
        """Write to the agent.

        Raises:
            OSError: the connection is gone.
        """

    def pieces(self) -> Iterator[bytes]:
        """Yield what the agent writes, until the connection ends."""

    def errors(self) -> str:
        """What the connection said beside the answers."""

    def close(self) -> None:
        """End the agent."""


class Way(Protocol):
    """How to make a channel, again and again."""

    def open(self) -> Channel:
        """Start an agent.

        Raises:
            ChannelError: the machine cannot be reached.
        """

    def __str__(self) -> str:
        """The address, for people."""


@dataclass(frozen=True)
class DockerWay:
    """Through the engine, into a container."""

    docker: Docker
    container: str

    def open(self) -> Channel:
        """Start an agent in the container."""
        return _DockerChannel(Stream(self.docker, self.container, START))

    def __str__(self) -> str:
        """As Testinfra writes it."""
        return f"docker://{self.container}"


class _DockerChannel:
    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._said = ""
        self.send(b"%d\n%s" % (len(PROGRAM), PROGRAM))

    def send(self, data: bytes) -> None:
        self._stream.send(data)

    def pieces(self) -> Iterator[bytes]:
        for kind, data in self._stream.frames():
            if kind == 1:
                yield data
            else:
                self._said = (self._said + data.decode("utf-8", "replace"))[-ERRORS_KEPT:]

    def errors(self) -> str:
        return self._said.strip()

    def close(self) -> None:
        with suppress(OSError):  # whoever reads is let go first: closing would wait for it
            self._stream.socket.shutdown(socket.SHUT_RDWR)
        self._stream.close()


@dataclass(frozen=True)
class SshWay:
    """With OpenSSH, to any machine; a user other than root becomes root with ``sudo``, which must not ask.

    Host keys are checked as the user's own configuration says, and nothing is ever asked.

    Attributes:
        host: Name or address.
        port: None for what the configuration says.
        user: None for what the configuration says; who that is decides whether ``sudo`` is used.
        options: Further words for ``ssh``, such as ``-F FILE``.
    """

    host: str
    port: int | None = None
    user: str | None = None
    options: tuple[str, ...] = ()

    def argv(self) -> list[str]:
        """The command that starts the agent there."""
        words = ["ssh", "-T", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}"]
        words += ["-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=2", *self.options]
        words += ["-p", str(self.port)] if self.port else []
        words += ["-l", self.user] if self.user else []
        start = START if self.user in {None, "root"} else ["sudo", "-n", *START]
        return [*words, "--", self.host, shlex.join(start)]

    def open(self) -> Channel:
        """Start an agent there."""
        try:
            process = subprocess.Popen(
                self.argv(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise ChannelError(f"ssh cannot be started: {error}.", remedy="Install openssh-client.") from error
        return _SshChannel(process)

    def __str__(self) -> str:
        """As it was given."""
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"ssh://{user}{host}" + (f":{self.port}" if self.port else "")


class _SshChannel:
    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._said = ""
        self._listener = threading.Thread(target=self._listen, name="ssh-errors", daemon=True)
        self._listener.start()
        self.send(b"%d\n%s" % (len(PROGRAM), PROGRAM))

    def _listen(self) -> None:
        for line in self._process.stderr or ():
            self._said = (self._said + line.decode("utf-8", "replace"))[-ERRORS_KEPT:]

    def send(self, data: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 # made with a pipe
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def pieces(self) -> Iterator[bytes]:
        assert self._process.stdout is not None  # noqa: S101 # made with a pipe
        while data := self._process.stdout.read1(65536):  # type: ignore[attr-defined] # a BufferedReader
            yield data

    def errors(self) -> str:
        self._listener.join(timeout=1)
        return self._said.strip()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue  # what was not sent yet has nobody to go to


def parse_way(address: str, options: tuple[str, ...] = ()) -> SshWay:
    """Read ``ssh://[user@]host[:port]``.

    Raises:
        UsageError: it is something else.
    """
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if parts.scheme != "ssh" or not parts.hostname or parts.password or parts.path.strip("/") or port == -1:
        raise UsageError(
            f"{address!r} is no address of a machine.",
            remedy="Write ssh://[user@]host[:port]; keys and the like belong into ~/.ssh/config.",
        )
    return SshWay(parts.hostname, port, parts.username, options)
