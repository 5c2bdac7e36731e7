"""Commands inside containers: their input, output and exit code."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from lab.deadline import Deadline
from lab.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lab.engine.client import Docker

T = TypeVar("T")
HEADER = 8
STDERR = 2
_CHUNK = 65536
SHOWN = 200
"""How many characters of an unexpected answer are told."""


@dataclass(frozen=True)
class Completed:
    """A command that ended."""

    code: int
    stdout: str
    stderr: str

    def read(self, kind: type[T], source: str) -> T:
        """What it printed, JSON, as a value of a type; `source` names for the error who printed it.

        Raises:
            EngineError: it is no JSON, or of another form.
        """
        try:
            return msgspec.json.decode(self.stdout, type=kind)
        except (msgspec.MsgspecError, RecursionError) as error:
            said = repr(self.stdout.strip()[:SHOWN]) if self.stdout.strip() else "nothing"
            raise EngineError(
                f"{source} answered in another form: {error}; it said {said}.", remedy="See `pacslab status`."
            ) from error


class Stream:
    """A running command: frames of its output, and its input as a socket."""

    def __init__(
        self,
        docker: Docker,
        container: str,
        argv: Sequence[str],
        *,
        user: str = "root",
        tty: bool = False,
        environment: Sequence[str] = (),
        stdin: bool = True,
    ) -> None:
        """Start the command.

        Raises:
            NotFoundError: there is no such container.
            EngineError: the container does not run, or the engine refuses.
        """
        self._docker = docker
        self.tty = tty
        self.id: str = docker.call(
            "POST",
            f"/containers/{container}/exec",
            body={
                "Cmd": list(argv),
                "User": user,
                "Env": list(environment),
                "Tty": tty,
                "AttachStdin": stdin,
                "AttachStdout": True,
                "AttachStderr": True,
            },
        )["Id"]
        self.socket, self._reader = docker.hijack(f"/exec/{self.id}/start", {"Detach": False, "Tty": tty})

    def send(self, data: bytes) -> None:
        """Write to the command's standard input."""
        self.socket.sendall(data)

    def end_input(self) -> None:
        """Close the command's standard input; its output goes on."""
        self.socket.shutdown(socket.SHUT_WR)

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Yield (1 for output or 2 for errors, bytes) until the command closes both."""
        reader = self._reader
        if self.tty:
            while data := reader.read1(_CHUNK):
                yield 1, data
            return
        while len(head := reader.read(HEADER)) == HEADER:
            data = reader.read(int.from_bytes(head[4:], "big"))
            yield head[0], data

    def code(self) -> int:
        """The exit code, once the output has ended."""
        deadline = Deadline(self._docker.timeout)
        while True:
            state: dict[str, Any] = self._docker.call("GET", f"/exec/{self.id}/json")
            if not state["Running"]:
                return int(state["ExitCode"])
            if deadline.over:
                raise EngineError(
                    "A command closed its output and goes on running.",
                    remedy="Look at the host: 'pacslab exec HOST -- ps'.",
                )
            deadline.pause(0.02)  # the engine notes the end shortly after the output closes

    def resize(self, rows: int, columns: int) -> None:
        """Tell the command's terminal its size."""
        self._docker.call("POST", f"/exec/{self.id}/resize", query={"h": str(rows), "w": str(columns)})

    def close(self) -> None:
        """Drop the connection; the command sees its terminal or pipes close."""
        self._reader.close()
        self.socket.close()


def execute(
    docker: Docker,
    container: str,
    argv: Sequence[str],
    *,
    timeout: float = 60,
    input: bytes | None = None,  # noqa: A002 # the name that subprocess.run gives it
    user: str = "root",
    environment: Sequence[str] = (),
    on_output: Callable[[str], None] | None = None,
) -> Completed:
    """Run a command in a container to its end; after ``timeout`` seconds it is killed and the code is 124.

    ``on_output`` sees each piece of standard output as it comes.

    Raises:
        EngineError: the container does not run, or the engine refuses.
    """
    limited = ["timeout", "--kill-after=5", f"{timeout:g}", *argv]
    stream = Stream(docker, container, limited, user=user, environment=environment, stdin=input is not None)
    stream.socket.settimeout(timeout + 30)
    parts: dict[int, list[bytes]] = {1: [], STDERR: []}
    try:
        if input is not None:
            threading.Thread(target=_feed, args=(stream, input), daemon=True).start()
        for kind, data in stream.frames():
            parts[STDERR if kind == STDERR else 1].append(data)
            if on_output and kind != STDERR:
                on_output(data.decode("utf-8", "replace"))
    except TimeoutError as error:
        raise EngineError(
            f"{container} gave no answer to {argv[0]} within {timeout:g} s.", remedy="See 'pacslab status'."
        ) from error
    finally:
        stream.close()
    out, err = (b"".join(parts[kind]).decode("utf-8", "replace") for kind in (1, STDERR))
    return Completed(stream.code(), out, err)


def _feed(stream: Stream, data: bytes) -> None:
    try:
        stream.send(data)
        stream.end_input()
    except OSError:
        return  # the command ended without reading all of its input; its exit code says how it fared
