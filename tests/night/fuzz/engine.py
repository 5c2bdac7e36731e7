"""Stands in for Docker, so that any verb may be tried with anything.

It knows a lab's hosts and does nothing; every command on them prints the same.
"""

from __future__ import annotations

import json
import os
import re
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lab.engine import names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE = re.compile(r"/v[0-9.]+(/.*)")
STDOUT = b"\1\0\0\0"
"""Head of a frame of standard output, before its length."""
VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, lab: str, hosts: list[str], printed: bytes) -> None:
        super().__init__(path, _Handler)
        self.lab, self.hosts, self.printed = lab, hosts, printed

    def listed(self) -> list[dict[str, Any]]:
        labels = {names.LAB: self.lab, names.SITE: self.lab, names.SPEC: "0"}
        parts = [(host, {names.HOST: host}) for host in self.hosts] + [(names.FABRIC, {names.PART: names.FABRIC})]
        return [
            {
                "Id": f"id-{name}",
                "Names": [f"/{names.container(self.lab, name)}"],
                "Labels": labels | own,
                "State": "running",
                "ImageID": "sha256:1",
            }
            for name, own in parts
        ]


class _Handler(BaseHTTPRequestHandler):
    # the names are those of http.server
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._answer(*self._found())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self._path()
        if path.endswith("/exec"):
            self._answer(201, {"Id": "command"})
        elif path.startswith("/exec/") and path.endswith("/start"):
            self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
            printed = self.server.printed
            self.wfile.write(STDOUT + len(printed).to_bytes(4, "big") + printed)
            self.close_connection = True
        else:
            self._answer(404, {"message": "nothing is done here"})

    def do_DELETE(self) -> None:
        self.do_POST()

    def _found(self) -> tuple[int, Any]:
        path = self._path()
        fixed: dict[str, Any] = {
            "/version": VERSION,
            "/info": {"CgroupVersion": "2", "DockerRootDir": "/", "NCPU": 2, "MemTotal": 8 << 30},
            "/images/json": [],
            "/containers/json": self.server.listed(),
        }
        if path in fixed:
            return 200, fixed[path]
        if path.startswith("/exec/"):
            return 200, {"Running": False, "ExitCode": 0}
        for container in self.server.listed():
            if path in {f"/containers{container['Names'][0]}/json", f"/containers/{container['Id']}/json"}:
                return 200, {"State": {"Status": "running", "Pid": os.getpid(), "ExitCode": 0}, "Id": container["Id"]}
        return 404, {"message": f"no such thing: {path}"}

    def _path(self) -> str:
        path = unquote(urlsplit(self.path).path)
        found = ONE.fullmatch(path)
        return found[1] if found else path

    def _answer(self, status: int, content: Any) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # its name there
        del format, args


@contextmanager
def engine(path: Path, lab: str, hosts: list[str], printed: bytes = b"") -> Iterator[str]:
    """Serve at a socket; the value is what ``DOCKER_HOST`` is to be. Commands end with 0 and print these octets."""
    with _Server(str(path), lab, hosts, printed) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"unix://{path}"
        server.shutdown()
