"""A command on a host may be silent for as long as it likes; what limits it is the caller's own time limit."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from lab.engine.client import Docker
from lab.engine.execute import Completed, Stream
from lab.errors import EngineError

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


def test_what_a_command_printed_is_read_as_the_type_that_it_has_to_be() -> None:
    assert Completed(0, '{"ct1": ["1.2"]}\n', "").read(dict[str, list[str]], "ct1") == {"ct1": ["1.2"]}


@pytest.mark.parametrize("printed", ["", "{", "[" * 100_000, '{"ct1": 5}', "null", "\ufffd\x1b[2J"])
def test_a_command_that_printed_something_else_is_named_with_what_it_printed(printed: str) -> None:
    with pytest.raises(EngineError, match=r"^ct1 answered in another form: .*; it said .*\.$") as caught:
        Completed(0, printed, "").read(dict[str, list[str]], "ct1")
    assert len(str(caught.value)) < 600
    assert "\x1b" not in str(caught.value)
