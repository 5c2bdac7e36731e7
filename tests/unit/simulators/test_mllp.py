"""The MLLP listener knows who speaks, keeps to its limits, and survives whatever it is sent."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from simulators import mllp
from simulators.errors import NoAnswerError, UnreachableError
from simulators.proxy_protocol import ProxyHeaderError, Sender, read_header
from tests.unit.simulators.peers import free_port, loopback_peer, proxy_header
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "ehr1.imaging.internal"


@pytest.fixture
def heard() -> list[tuple[bytes, Sender]]:
    return []


@pytest.fixture
def listener(heard: list[tuple[bytes, Sender]]) -> Iterator[mllp.Listener]:
    def answer(message: bytes, sender: Sender) -> list[bytes]:
        heard.append((message, sender))
        if message == b"break":
            raise RuntimeError
        return [] if message == b"silent" else [b"ack " + message]

    server = mllp.Listener(0, answer, limit=1000, idle_seconds=1, frame_seconds=0.5)
    server.start()
    yield server
    server.stop()


def talk(listener: mllp.Listener, data: bytes, *, half_close: bool = True) -> bytes:
    with socket.create_connection(("127.0.0.1", listener.server_address[1]), timeout=5) as connection:
        connection.sendall(data)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        pieces = []
        try:
            while piece := connection.recv(4096):
                pieces.append(piece)
        except ConnectionResetError:
            pieces.append(b"<reset>")
        return b"".join(pieces)


def test_the_handler_learns_the_certificates_name_and_the_address(
    listener: mllp.Listener, heard: list[tuple[bytes, Sender]]
) -> None:
    assert talk(listener, proxy_header(NAME) + b"\x0bone\x1c\x0d") == b"\x0back one\x1c\x0d"
    assert heard == [(b"one", Sender(NAME, "10.24.50.12", 40000, "TLSv1.3"))]


def test_several_messages_pass_on_one_connection_in_order(listener: mllp.Listener) -> None:
    frames = b"".join(b"\x0b%d\x1c\x0d" % number for number in range(3))
    assert talk(listener, proxy_header(NAME) + frames) == b"".join(b"\x0back %d\x1c\x0d" % n for n in range(3))


def test_a_certificate_that_was_not_verified_gives_no_name(
    listener: mllp.Listener, heard: list[tuple[bytes, Sender]]
) -> None:
    talk(listener, proxy_header(NAME, verify=1) + b"\x0bone\x1c\x0d")
    talk(listener, proxy_header(None) + b"\x0btwo\x1c\x0d")
    assert [sender.name for _, sender in heard] == [None, None]


@pytest.mark.parametrize(
    "data",
    [
        b"\x0bno header, but long enough to be one\x1c\x0d",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        proxy_header(NAME)[:-5],
        proxy_header(NAME)[:14] + b"\xff\xff",
        proxy_header(NAME) + b"no frame",
        proxy_header(NAME) + b"\x0bcut short",
        proxy_header(NAME) + b"\x0b" + b"A" * 5000,
        proxy_header(NAME) + b"\x0bbreak\x1c\x0d",
    ],
)
def test_what_is_malformed_gets_no_answer_and_the_listener_lives_on(listener: mllp.Listener, data: bytes) -> None:
    assert talk(listener, data) in {b"", b"<reset>"}
    assert talk(listener, proxy_header(NAME) + b"\x0bnext\x1c\x0d") == b"\x0back next\x1c\x0d"


def test_a_framing_error_is_logged_with_its_sender(listener: mllp.Listener, events: list[dict[str, Any]]) -> None:
    talk(listener, proxy_header(NAME) + b"no frame")
    ((told,),) = [events]
    assert (told["action"], told["reason"], told["certificate"]) == ("connect", "framing", NAME)


def test_a_silent_connection_is_closed(listener: mllp.Listener) -> None:
    assert talk(listener, proxy_header(NAME), half_close=False) == b""


def test_a_message_that_comes_octet_by_octet_has_a_deadline(
    listener: mllp.Listener, events: list[dict[str, Any]]
) -> None:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", listener.server_address[1]), timeout=5) as connection:
        connection.sendall(proxy_header(NAME) + b"\x0b")
        with suppress(OSError):
            while time.monotonic() < begun + 5:  # each octet comes long before the connection would be idle
                connection.sendall(b"x")
                time.sleep(0.1)
    assert time.monotonic() < begun + 3
    wait_until(lambda: events, "nothing was logged")
    assert (events[0]["reason"], events[0]["certificate"]) == ("timeout", NAME)


def test_a_message_that_wants_no_answer_leaves_the_connection_open(listener: mllp.Listener) -> None:
    data = proxy_header(NAME) + b"\x0bsilent\x1c\x0d\x0bnext\x1c\x0d"
    assert talk(listener, data) == b"\x0back next\x1c\x0d"


def test_the_edges_own_check_is_no_sender() -> None:
    data = iter([proxy_header(None, command=0x20)])
    buffer = next(data)
    position = 0

    def read(count: int) -> bytes:
        nonlocal position
        position += count
        return buffer[position - count : position]

    assert read_header(read) is None


def test_a_value_cut_short_is_a_header_error() -> None:
    broken = proxy_header(NAME)
    broken = broken[:-3]
    fixed = broken[:14] + (len(broken) - 16).to_bytes(2, "big") + broken[16:]
    pieces = iter([fixed[:16], fixed[16:]])
    with pytest.raises(ProxyHeaderError):
        read_header(lambda _: next(pieces))


def test_a_peer_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(UnreachableError):
        mllp.send(loopback_peer(free_port()), None, b"x")


def test_a_peer_that_closes_without_an_answer_is_unreachable(listener: mllp.Listener) -> None:
    with pytest.raises(UnreachableError, match=r"without an answer|no connection"):
        mllp.send(loopback_peer(listener.server_address[1]), None, b"x" * 20)


def test_a_peer_that_does_not_answer_in_time_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(NoAnswerError):
        mllp.send(loopback_peer(silent.getsockname()[1]), None, b"x", answer_seconds=0.2)
