"""The relay joins its input and output to one connection, to the end of both."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.operate import relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SOURCE = Path(relay.__file__).read_text("utf-8")


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback that answers one connection; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                answer(connection)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=10)
        assert not thread.is_alive()


def run(port: int, data: bytes) -> subprocess.CompletedProcess[bytes]:
    """The relay, as it is started on a workstation."""
    argv = [sys.executable, "-ISc", SOURCE, "127.0.0.1", str(port)]
    return subprocess.run(argv, input=data, capture_output=True, check=False, timeout=30)


def read_all(connection: socket.socket) -> bytes:
    """Everything until the peer ends its direction."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def test_everything_passes_in_both_directions_and_an_end_is_passed_on() -> None:
    question, answer = bytes(range(256)) * 4000, b"\x00answer\xff" * 100_000
    seen: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        seen.append(read_all(connection))  # returns only when the relay has ended its direction
        connection.sendall(answer)

    with serving(serve) as port:
        done = run(port, question)
    assert (done.returncode, done.stdout, seen) == (0, answer, [question])


def test_an_answer_before_the_question_ends_is_not_lost() -> None:
    with serving(lambda connection: connection.sendall(b"banner")) as port:
        done = run(port, b"")
    assert (done.returncode, done.stdout) == (0, b"banner")


def test_a_refused_connection_is_told_on_standard_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = run(port, b"x")
    assert done.returncode == 1
    assert b"refused" in done.stderr
    assert done.stdout == b""
