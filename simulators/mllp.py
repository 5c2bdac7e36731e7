"""MLLP (HL7 v2 minimal lower layer protocol): one client connection, and a threaded listener on loopback.

A message stands between 0x0B and 0x1C 0x0D (HL7 v2.5.1 implementation support, C.4).
"""

from __future__ import annotations

import socket
import socketserver
import ssl
import sys
import threading
from typing import TYPE_CHECKING, Self

from simulators.deadline import Deadline
from simulators.errors import NoAnswerError, NotReadyError, TlsRefusedError, UnreachableError
from simulators.events import reasons
from simulators.events.actions import CONNECT
from simulators.events.report import write_event, write_failure
from simulators.proxy_protocol import ProxyHeaderError, Sender, read_header

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.settings import Peer

START, END = b"\x0b", b"\x1c\x0d"
MAXIMUM_MESSAGE = 1_048_576
"""Bytes; a report with all its segments takes some ten thousand."""

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 20.0
IDLE_SECONDS = 60.0
HEADER_SECONDS = 5.0
"""The edge sends its header at once."""

FRAME_SECONDS = 30.0
"""From a message's first octet to its last; one that stops in between is ended by the connection's own time-out."""

MAXIMUM_CONNECTIONS = 64


class FramingError(ValueError):
    """The bytes received are not an MLLP frame."""


class SlowFrameError(FramingError):
    """A message comes so slowly that it would keep its connection for itself."""


class Reader:
    """Cuts a byte stream into exact pieces and into frames."""

    def __init__(
        self, connection: socket.socket, limit: int = MAXIMUM_MESSAGE, frame_seconds: float = FRAME_SECONDS
    ) -> None:
        """Read from `connection`; a message may have `limit` bytes and take `frame_seconds` from its first one on."""
        self._connection = connection
        self._limit = limit
        self._frame_seconds = frame_seconds
        self._buffer = b""

    def exactly(self, count: int) -> bytes:
        """Return `count` bytes; :class:`EOFError` when the stream ends before."""
        while len(self._buffer) < count:
            self._more()
        piece, self._buffer = self._buffer[:count], self._buffer[count:]
        return piece

    def frame(self) -> bytes | None:
        """Return the next message, or None when the stream ends between frames.

        Raises:
            FramingError: no 0x0B in front, too long, or cut short.
            SlowFrameError: it did not come to its end in time.
        """
        try:
            first = self.exactly(1)
        except EOFError:
            return None
        if first != START:
            raise FramingError(f"a frame begins with 0x{first.hex()} instead of 0x0b")
        deadline = Deadline(self._frame_seconds)
        searched = 0
        while (end := self._buffer.find(END, searched)) < 0:
            if len(self._buffer) > self._limit:
                raise FramingError(f"a message of more than {self._limit} bytes")
            searched = max(0, len(self._buffer) - 1)
            if deadline.over:
                raise SlowFrameError(f"a message that takes more than {self._frame_seconds:g} s")
            try:
                self._more()
            except EOFError as error:
                raise FramingError("the stream ends inside a frame") from error
        message, self._buffer = self._buffer[:end], self._buffer[end + len(END) :]
        if len(message) > self._limit:
            raise FramingError(f"a message of more than {self._limit} bytes")
        return message

    def _more(self) -> None:
        piece = self._connection.recv(65536)
        if not piece:
            raise EOFError
        self._buffer += piece


class Connection:
    """A client's connection, over TLS when there is a context; a context manager.

    ``socket`` is open to those who want to send something else than a frame.
    """

    def __init__(
        self,
        peer: Peer,
        tls: ssl.SSLContext | None,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        """Connect, and shake hands when `tls` is given.

        Raises:
            TlsRefusedError: a certificate was not accepted.
            UnreachableError: no connection.
        """
        self._where = f"{peer.name} ({peer.address}:{peer.port})"
        self._answer_seconds = answer_seconds
        try:
            plain = socket.create_connection((peer.address, peer.port), timeout=connect_seconds)
        except OSError as error:
            raise self._unreachable(error) from error
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket: socket.socket = plain if tls is None else tls.wrap_socket(plain, server_hostname=peer.identity)
        except OSError as error:
            plain.close()
            raise self._failed(error) from error
        self.socket.settimeout(answer_seconds)
        self._reader = Reader(self.socket)

    def __enter__(self) -> Self:
        """Return the open connection."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection."""
        self.socket.close()

    def exchange(self, message: bytes) -> bytes:
        """Send one message and return the one that answers it.

        Raises:
            NoAnswerError: nothing came in time.
            TlsRefusedError: the peer did not accept the certificate (TLS 1.3 tells it here).
            UnreachableError: the connection was closed or does not speak MLLP.
        """
        try:
            self.socket.sendall(START + message + END)
            answer = self._reader.frame()
        except TimeoutError as error:
            raise NoAnswerError(
                f"{self._where} did not answer within {self._answer_seconds:g} s",
                remedy="Look at the peer's health; the message may have been taken.",
            ) from error
        except OSError as error:
            raise self._failed(self._alert() or error) from error
        except FramingError as error:
            raise UnreachableError(f"{self._where} does not speak MLLP: {error}", remedy="Look at the port.") from error
        if answer is None:
            raise UnreachableError(
                f"{self._where} closed the connection without an answer",
                remedy="Its edge refuses what no flow declares: look at the edge's log for the reason.",
            )
        return answer

    def _alert(self) -> ssl.SSLError | None:
        """Return the TLS alert that came before the connection was reset, if one did."""
        try:
            self.socket.recv(1)
        except ssl.SSLError as alert:
            return alert
        except OSError:
            return None
        return None

    def _failed(self, error: OSError) -> TlsRefusedError | UnreachableError:
        if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):
            return TlsRefusedError(
                f"TLS with {self._where} failed: {error.reason or error}",
                remedy="Look at the validity, profile and revocation of both certificates.",
            )
        return self._unreachable(error)

    def _unreachable(self, error: OSError) -> UnreachableError:
        return UnreachableError(
            f"no connection to {self._where}: {error}", remedy="Look at the site's flows and the peer's health."
        )


def send(peer: Peer, tls: ssl.SSLContext | None, message: bytes, *, answer_seconds: float = ANSWER_SECONDS) -> bytes:
    """Open a connection, send one message and return the acknowledgement; errors as :class:`Connection`."""
    with Connection(peer, tls, answer_seconds=answer_seconds) as connection:
        return connection.exchange(message)


class _Conversation(socketserver.BaseRequestHandler):
    """One connection to the listener; whatever it sends, the listener lives on."""

    server: Listener

    def handle(self) -> None:
        """Read the sender, then answer message after message."""
        connection: socket.socket = self.request
        connection.settimeout(HEADER_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        reader = Reader(connection, self.server.limit, self.server.frame_seconds)
        sender = Sender(name=None, address=self.client_address[0], port=self.client_address[1])
        try:
            if self.server.behind_proxy:
                proxied = read_header(reader.exactly)
                if proxied is None:
                    return
                sender = proxied
            connection.settimeout(self.server.idle_seconds)
            while (message := reader.frame()) is not None:
                for answer in self.server.answer(message, sender):
                    connection.sendall(START + answer + END)
        except (FramingError, ProxyHeaderError) as error:
            write_event(
                CONNECT,
                reason=reasons.TIMEOUT if isinstance(error, SlowFrameError) else reasons.FRAMING,
                certificate=sender.name,
                peer=sender.address,
                error=type(error).__name__,
            )
        except (EOFError, TimeoutError, ConnectionError):
            return  # the peer went away, or has had nothing to say for long


class Listener(socketserver.ThreadingTCPServer):
    """Listens for MLLP and hands each message, with its sender, to `answer`.

    Args:
        port: TCP port; 0 lets the system choose one (see ``server_address``).
        answer: takes a message and its :class:`Sender`, returns the answers, of which there may be none.
            It must not raise; what it raises all the same closes the connection and is logged.
        behind_proxy: every connection begins with a PROXY header (v2) from the edge.
    """

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        port: int,
        answer: Callable[[bytes, Sender], Sequence[bytes]],
        *,
        behind_proxy: bool = True,
        limit: int = MAXIMUM_MESSAGE,
        idle_seconds: float = IDLE_SECONDS,
        frame_seconds: float = FRAME_SECONDS,
        address: str = "127.0.0.1",
    ) -> None:
        """Bind the port; see the class for the arguments.

        Raises:
            NotReadyError: the port is taken.
        """
        self.answer = answer
        self.behind_proxy = behind_proxy
        self.limit = limit
        self.idle_seconds = idle_seconds
        self.frame_seconds = frame_seconds
        self._slots = threading.BoundedSemaphore(MAXIMUM_CONNECTIONS)
        try:
            super().__init__((address, port), _Conversation)
        except OSError as error:
            raise NotReadyError(
                f"cannot listen on {address}:{port}: {error}", remedy="Stop the other process that holds the port."
            ) from error

    def start(self) -> None:
        """Serve in a thread of its own until :meth:`stop`."""
        threading.Thread(target=self.serve_forever, name="mllp", daemon=True).start()

    def stop(self) -> None:
        """Stop listening and free the port."""
        self.shutdown()
        self.server_close()

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Give the connection a thread, or close it when there are too many."""
        if not self._slots.acquire(blocking=False):
            write_event(CONNECT, reason=reasons.TOO_MANY_CONNECTIONS, limit=MAXIMUM_CONNECTIONS)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Hold a conversation and free its slot."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - socketserver's signature
        """Log what a conversation raised; the listener lives on."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            write_failure(CONNECT, error)
