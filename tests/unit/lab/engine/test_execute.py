"""A command on a host may be silent for as long as it likes; what limits it is the caller's own time limit."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.engine.client import Docker
from lab.engine.execute import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LIMIT = 0.2
"""Seconds that Docker has for an answer in these tests."""


def answer_exec(listener: socket.socket) -> None:
    """Answer the two requests of an exec as Docker does, and let the command say something late."""
    for answer in (
        b'HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n{"Id":"made"}',
        b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    ):
        peer, _ = listener.accept()
        request = b""
        while not request.endswith(b"}"):
            request += peer.recv(65536)
        peer.sendall(answer)
    time.sleep(3 * LIMIT)
    peer.sendall(b"\x01\0\0\0\0\0\0\x05late\n")
    peer.close()


@contextmanager
def engine(folder: Path) -> Iterator[Docker]:
    """A Docker that knows nothing but one exec."""
    path = folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        threading.Thread(target=answer_exec, args=(listener,), daemon=True).start()
        yield Docker(str(path), timeout=LIMIT)


def test_a_command_may_be_silent_for_longer_than_docker_has_for_an_answer(tmp_path: Path) -> None:
    with engine(tmp_path) as docker:
        stream = Stream(docker, "reference-ct1", ["sleep", "infinity"])
        assert list(stream.frames()) == [(1, b"late\n")]
        stream.close()
