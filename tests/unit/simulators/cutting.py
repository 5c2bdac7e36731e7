"""A proxy on loopback that cuts connections at a chosen point: before the request, before its answer, or between."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from enum import Enum
from typing import TYPE_CHECKING

from simulators.mllp import END

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P_DATA, A_RELEASE_RQ = 0x04, 0x05
"""PDU types (PS3.8 9.3); what comes before P-DATA-TF only opens the association."""


class Cut(Enum):
    """Where a connection ends."""

    REQUEST = "the request is lost"
    """It does not reach the peer."""
    BETWEEN = "the peer is gone in between"
    """The request reaches the peer, whose connection ends at once, before it can answer."""
    ANSWER = "the answer is lost"
    """The peer has answered, and its answer does not arrive."""
    HALF = "the answer breaks off"
    """The peer has answered, and half of the first piece of its answer arrives."""


def frames(buffer: bytes) -> list[bytes]:
    """Cut what has come into whole MLLP frames; the rest is left."""
    end = buffer.find(END)
    return [] if end < 0 else [buffer[: end + len(END)], *frames(buffer[end + len(END) :])]


def pdus(buffer: bytes) -> list[bytes]:
    """Cut what has come into whole PDUs (PS3.8 9.3.1: type, reserved, four octets of length); the rest is left."""
    if len(buffer) < 6 or len(buffer) < (size := 6 + int.from_bytes(buffer[2:6], "big")):
        return []
    return [buffer[:size], *pdus(buffer[size:])]


def chunks(buffer: bytes) -> list[bytes]:
    """Take what has come as it is, as HTTP has it: here a request, or an answer, is sent at once."""
    return [buffer] if buffer else []


def is_frame(_: bytes) -> bool:
    """An MLLP frame says something whatever it is, and so does HTTP."""
    return True


def is_data(pdu: bytes) -> bool:
    """Tell whether a PDU carries a message, and does not open or release the association."""
    return pdu[0] == P_DATA


class Proxy:
    """Passes connections on to a port, and cuts those that it is told to.

    ``cuts`` are used up, one a connection on which something is said; None among them, or none left, passes it on.
    """

    def __init__(self, target: int, pieces: Callable[[bytes], list[bytes]], says: Callable[[bytes], bool]) -> None:
        """Listen on a free port for `target`; `pieces` cuts the stream, `says` tells what is a request or an answer."""
        self.cuts: list[Cut | None] = []
        self.made: list[Cut] = []
        self._target, self._pieces, self._says = target, pieces, says
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                client.close()
                continue
            connection = _Connection(self, client, server)
            threading.Thread(target=connection.upstream, daemon=True).start()
            threading.Thread(target=connection.downstream, daemon=True).start()

    def claim(self) -> Cut | None:
        """Take the next cut, if one is left."""
        with self._lock:
            cut = self.cuts.pop(0) if self.cuts else None
            if cut is not None:
                self.made.append(cut)
            return cut


class _Connection:
    def __init__(self, proxy: Proxy, client: socket.socket, server: socket.socket) -> None:
        self._proxy, self._client, self._server = proxy, client, server
        self._cut: Cut | None = None
        self._claimed = False

    def upstream(self) -> None:
        """Pass on what the client says."""
        self._pump(self._client, self._server, self._ask)

    def downstream(self) -> None:
        """Pass on what the peer says."""
        self._pump(self._server, self._client, self._answer)

    def _ask(self, piece: bytes) -> bool:
        """Pass a request on; False when the connection is to end."""
        if not self._claimed and self._proxy._says(piece):  # noqa: SLF001 - its own connection
            self._claimed, self._cut = True, self._proxy.claim()
            if self._cut is Cut.REQUEST:
                return False
        self._server.sendall(piece)
        return self._cut is not Cut.BETWEEN or not self._ends_request(piece)

    def _answer(self, piece: bytes) -> bool:
        """Pass an answer on; False when the connection is to end."""
        if self._cut in {Cut.ANSWER, Cut.BETWEEN, Cut.HALF} and self._proxy._says(piece):  # noqa: SLF001 - its own connection
            if self._cut is Cut.HALF:
                self._client.sendall(piece[: len(piece) // 2])
            return False
        self._client.sendall(piece)
        return True

    def _ends_request(self, piece: bytes) -> bool:
        """Tell whether a request is whole: a DIMSE message may take several PDUs (PS3.8 annex E.2: last fragment)."""
        return piece[0] != P_DATA or piece[11] & 0x03 == 0x02

    def _pump(self, source: socket.socket, target: socket.socket, passes: Callable[[bytes], bool]) -> None:
        buffer = b""
        with suppress(OSError):
            while chunk := source.recv(65536):
                buffer += chunk
                for piece in self._proxy._pieces(buffer):  # noqa: SLF001 - its own connection
                    buffer = buffer[len(piece) :]
                    if not passes(piece):
                        self._end()
                        return
            target.shutdown(socket.SHUT_WR)
            return
        self._end()

    def _end(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def hl7_proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy for MLLP."""
    proxy = Proxy(target, frames, is_frame)
    yield proxy
    proxy.close()


@contextmanager
def dicom_proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy for DICOM."""
    proxy = Proxy(target, pdus, is_data)
    yield proxy
    proxy.close()


@contextmanager
def http_proxy(target: int) -> Iterator[Proxy]:
    """Run a proxy for HTTP."""
    proxy = Proxy(target, chunks, is_frame)
    yield proxy
    proxy.close()
