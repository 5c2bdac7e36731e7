"""A mail server and a webhook's receiver for tests: they listen on loopback, within TLS, and answer as a test says."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

from tests.unit.simulators.audit.repository import IDENTITY, server_side

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.siem.incidents.model import Incident
    from simulators.siem.notify.notices import Recipient

SERVER = IDENTITY
"""Name that the certificate of both has."""


def client_side(keys: Path, host: str = "ct1") -> ssl.SSLContext:
    """What a caller presents and accepts."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(keys / "ca.crt")
    context.load_cert_chain(keys / f"hosts/{host}/syslog.crt", keys / f"hosts/{host}/syslog.key")
    return context


class Post:
    """A mail server (RFC 5321), of which a test says how it answers each command."""

    def __init__(self, keys: Path) -> None:
        """Listen."""
        self.kept: list[tuple[str, bytes]] = []
        """Who each mail was for, and the mail."""
        self.answers: dict[str, str] = {}
        """By the first word of a command, and ``.`` for the end of a mail; ``""`` ends the connection instead."""
        self._context = server_side(keys, protocols=())
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listening.accept()
            except OSError:
                return
            with suppress(OSError), plain, self._context.wrap_socket(plain, server_side=True) as connection:
                connection.settimeout(5)
                self._converse(connection)

    def _converse(self, connection: ssl.SSLSocket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"220 post\r\n")
        recipients: list[str] = []
        while line := lines.readline():
            word = line.split()[0].upper().decode("ascii")
            answer = self.answers.get(word, "354 go on" if word == "DATA" else "250 done")
            if not answer:
                return
            connection.sendall(f"{answer}\r\n".encode())
            if word == "RCPT":
                recipients.append(line.decode("ascii").partition("<")[2].partition(">")[0])
            if word == "DATA" and answer.startswith("354"):
                mail = b""
                while (part := lines.readline()) != b".\r\n":
                    mail += part
                answer = self.answers.get(".", "250 kept")
                if not answer:
                    return
                if answer.startswith("250"):
                    self.kept += [(recipient, mail) for recipient in recipients]
                connection.sendall(f"{answer}\r\n".encode())


class Receiver:
    """What a webhook is sent to."""

    def __init__(self, keys: Path) -> None:
        """Listen."""
        self.status = 204
        self.taken: list[tuple[str, dict[str, str], bytes]] = []
        """Path, head and body of each request."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.taken.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.status)
                self.send_header("Location", "https://elsewhere.invalid/")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(keys / "hosts/siem1/syslog.crt", keys / "hosts/siem1/syslog.key")
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class Listener:
    """Somebody who is told, or of whom an error is raised."""

    def __init__(self, recipient: Recipient) -> None:
        """Hear nothing yet."""
        self.recipient = recipient
        self.error: Exception | None = None
        self.heard: list[tuple[int, str]] = []
        self.tried = 0

    def deliver(self, incident: Incident) -> None:
        """Hear of an incident."""
        self.tried += 1
        if self.error is not None:
            raise self.error
        self.heard.append((incident.number, str(incident.level)))
