"""A repository of audit messages for tests: takes them over TLS (RFC 5425), keeps each once, and acknowledges."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from simulators.audit.send import PROTOCOL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NUMBERED = re.compile(rb'\[pacslab@32473 seq="(\d+)" run="([0-9a-f-]{36})"\]')
IDENTITY = "syslog-service.siem1.imaging.internal"


def server_side(keys: Path, *, protocols: tuple[str, ...] = (PROTOCOL,)) -> ssl.SSLContext:
    """What the collector presents and accepts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "hosts/siem1/syslog.crt", keys / "hosts/siem1/syslog.key")
    context.load_verify_locations(keys / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context


class TestRepository:
    """Listens on loopback; `cut_after` says how many octets each connection takes before it is cut, None: all."""

    __test__ = False

    def __init__(
        self, context: ssl.SSLContext, *, acknowledges: Callable[[int], bool] = lambda _: True, port: int = 0
    ) -> None:
        """Listen; `acknowledges` says of a connection, by its number, whether messages are acknowledged on it."""
        self.stored: dict[tuple[bytes, int], bytes] = {}
        self.doubles = self.connections = 0
        self.cuts: list[int | None] = []
        """For each connection in turn; those after the last one are not cut."""
        self.answer = b"ACK %b %d\n"
        self._acknowledges, self._context = acknowledges, context
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port = self._listening.getsockname()[1]
        self._open: list[ssl.SSLSocket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def cut(self) -> None:
        """End the connections that are open."""
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Listen no more."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            try:
                connection = self._context.wrap_socket(plain, server_side=True)
            except OSError:
                plain.close()
                continue
            self._open.append(connection)
            number = self.connections
            self.connections += 1
            try:
                self._take(connection, number)
            except (OSError, ValueError):
                connection.close()

    def _take(self, connection: ssl.SSLSocket, number: int) -> None:
        data, taken = b"", 0
        cut = self.cuts[number] if number < len(self.cuts) else None
        while came := connection.recv(65536):
            taken += len(came)
            if cut is not None and taken > cut:
                came = came[: len(came) - (taken - cut)]
            data = self._whole(data + came, connection, number)
            if cut is not None and taken >= cut:
                connection.close()
                return

    def _whole(self, data: bytes, connection: ssl.SSLSocket, number: int) -> bytes:
        """Keep what is whole and acknowledge it; return the rest."""
        highest: tuple[bytes, int] | None = None
        while (space := data.find(b" ", 0, 8)) > 0:
            end = space + 1 + int(data[:space])
            if len(data) < end:
                break
            message, data = data[space + 1 : end], data[end:]
            found = NUMBERED.search(message)
            assert found is not None
            key = (found[2], int(found[1]))
            self.doubles += key in self.stored
            self.stored[key] = message
            highest = key
        if highest is not None and self._acknowledges(number):
            connection.sendall(self.answer % highest)
        return data
