"""The console as its host runs it: a process that takes its socket from systemd, and a server in front of it.

The server stands for the web server with the sign-on: it says who asks, whatever a browser says of that.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import asdict, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lab.access.policy import load_policy
from tests.unit.simulators.siem.console.conftest import SITE, head_of
from tests.unit.simulators.siem.console.stored import as_console
from tests.unit.simulators.siem.repository import ROOT, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEGIN = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); from simulators.siem.console.serve import main;"
    " sys.exit(main(sys.argv[2:]))"
)


class _Calling(http.client.HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("console", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Front(BaseHTTPRequestHandler):
    """Passes requests on, as whoever is signed in."""

    protocol_version = "HTTP/1.1"
    path_of_socket: ClassVar[str]
    person: ClassVar[str] = "l.tanaka"

    def do_GET(self) -> None:
        self._pass_on()

    def do_POST(self) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = {name: value for name, value in self.headers.items() if not name.lower().startswith("x-pacslab-")}
        calling = _Calling(self.path_of_socket)
        calling.request(self.command, self.path, body, kept | head_of(self.person))
        answer = calling.getresponse()
        data = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "content-length", "connection"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        calling.close()

    def log_message(self, *_: object) -> None:
        """Write nothing."""


class Served:
    """The console at an address."""

    def __init__(self, address: str, process: subprocess.Popen[bytes], front: type[_Front]) -> None:
        """Know where it is."""
        self.address, self.process, self._front = address, process, front

    def as_person(self, person: str) -> None:
        """Who asks from now on."""
        self._front.person = person


@contextmanager
def served(target: str) -> Iterator[Served]:
    """Serve what is in a database."""
    folder = Path(tempfile.mkdtemp(prefix="pacslab-console-"))
    path = folder / "console.sock"
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(path))
    listening.listen(64)
    front = type("Front", (_Front,), {"path_of_socket": str(path)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), front)
    address = f"http://127.0.0.1:{server.server_port}"
    site = asdict(replace(SITE, origin=address))
    (folder / "site.json").write_text(json.dumps(site))
    (folder / "policy.json").write_text(json.dumps({"roles": load_policy().by_role()}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _BEGIN,
                str(listening.fileno()),
                str(folder / "site.json"),
                str(folder / "policy.json"),
            ],
            pass_fds=[listening.fileno()],
            cwd=ROOT,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PACSLAB_SIEM_DATABASE": as_console(target)},
        )
    try:
        wait_until(
            lambda: b'"start"' in (folder / "log").read_bytes() or process.poll() is not None, "it does not start"
        )
        assert process.poll() is None, (folder / "log").read_text()
        yield Served(address, process, front)
        process.terminate()
        assert process.wait(20) in {0, -signal.SIGTERM}, (folder / "log").read_text()
    finally:
        process.kill()
        server.shutdown()
        server.server_close()
        listening.close()
        shutil.rmtree(folder)
