"""TLS below an association, a whole PDU at a time.

:class:`ssl.SSLSocket` hands every record of at most 16 KiB (RFC 8446 5.1) to the kernel by itself, and each then makes
its own way through the firewall. Here all TLS records of a PDU leave in one ``sendall()``, so there are fewer packets,
and the reason for which TLS failed is kept. With ``PACSLAB_WITHOUT_TLS_TRANSPORT`` in the environment, Python's own
sockets speak TLS instead; `pacslab bench dicom --without tls-transport` compares the two.
"""

from __future__ import annotations

import os
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

Result = TypeVar("Result")

SWITCH = "PACSLAB_WITHOUT_TLS_TRANSPORT"

AT_ONCE = 65_536
"""Bytes that are read from the network at a time."""


class TlsConnector:
    """Takes the place of an :class:`ssl.SSLContext` for one association, and keeps why TLS failed.

    pynetdicom swallows the exception and says 'aborted'. In TLS 1.3 the server judges the client's certificate after
    the client's side is connected, so the refusal may come with the first read.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        """Connect with what `context` presents and accepts."""
        self._context = context
        self.failure: OSError | None = None

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,  # noqa: FBT001, FBT002 # the signature of ssl.SSLContext
        server_hostname: str | None = None,
    ) -> TlsConnection | ssl.SSLSocket:
        """Return the connection that is to speak TLS over `sock`, which is not connected yet."""
        if server_side:
            raise ValueError("the simulators' edge serves TLS")
        if SWITCH in os.environ:
            return self._context.wrap_socket(sock, server_hostname=server_hostname)
        return TlsConnection(self._context, sock, server_hostname, self._keep)

    def _keep(self, error: OSError) -> None:
        self.failure = error


class TlsConnection:
    """The part of a socket that pynetdicom uses, with TLS in it. One thread uses it at a time."""

    def __init__(
        self,
        context: ssl.SSLContext,
        below: socket.socket,
        server_hostname: str | None,
        keep: Callable[[OSError], None],
    ) -> None:
        """Speak TLS over `below`; tell `keep` why that failed."""
        self._below = below
        self._keep = keep
        self._received, self._to_send = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._received, self._to_send, server_hostname=server_hostname)
        self._always_readable = os.eventfd(1)

    def connect(self, address: Any) -> None:
        """Connect and shake hands.

        Raises:
            OSError: no connection, or TLS failed.
        """
        try:
            self._below.connect(address)
            self._step(self._tls.do_handshake)
        except OSError as error:
            self._keep(error)
            raise

    def send(self, data: bytes) -> int:
        """Send all of `data` and return its length; when the connection was reset, keep the TLS alert that came before.

        Raises:
            OSError: the connection is gone.
        """
        try:
            return self._step(self._tls.write, data)
        except ConnectionError:
            with suppress(OSError):
                self.recv(1)
            raise

    def recv(self, size: int) -> bytes:
        """Return up to `size` bytes, none at the connection's end.

        Raises:
            OSError: the connection is gone, or the peer sent a TLS alert.
        """
        try:
            return self._step(self._tls.read, size)
        except ssl.SSLEOFError:  # closed without close_notify, as most DICOM peers do
            return b""
        except OSError as error:
            self._keep(error)
            raise

    def fileno(self) -> int:
        """Return what select() waits at: the network, unless something that came from there still waits to be read."""
        return self._always_readable if self._tls.pending() or self._received.pending else self._below.fileno()

    def settimeout(self, seconds: float | None) -> None:
        """Wait for the network no longer than this."""
        self._below.settimeout(seconds)

    def setsockopt(self, level: int, option: int, value: int) -> None:
        """Set an option of the connection below."""
        self._below.setsockopt(level, option, value)

    def getsockname(self) -> Any:
        """Return the own address of the connection below."""
        return self._below.getsockname()

    def shutdown(self, how: int) -> None:
        """Shut the connection below down."""
        self._below.shutdown(how)

    def close(self) -> None:
        """Close the connection below."""
        self._below.close()

    def __del__(self) -> None:
        """Give the descriptor back; pynetdicom may ask for fileno() after it closed."""
        os.close(self._always_readable)

    def _step(self, step: Callable[..., Result], *arguments: Any) -> Result:
        """Let TLS take a step, send what it has to say, and bring it what it waits for."""
        while True:
            try:
                result = step(*arguments)
            except ssl.SSLWantReadError:
                self._flush()
                self._fetch()
            else:
                self._flush()
                return result

    def _flush(self) -> None:
        if self._to_send.pending:
            self._below.sendall(self._to_send.read())

    def _fetch(self) -> None:
        if came := self._below.recv(AT_ONCE):
            self._received.write(came)
        else:
            self._received.write_eof()
