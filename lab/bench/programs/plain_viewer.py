"""OHIF in front of plain Orthanc, on the archive's host; sent there as text, and gone when its standard input ends.

Arguments: folder of OHIF's files, ``address:port`` to serve them at, port of Orthanc's HTTP interface, and
``name:password`` for it.
"""

from __future__ import annotations

import base64
import http.client
import mimetypes
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ARCHIVE = "/dicom-web"
CHUNK = 1 << 20


class Plain(BaseHTTPRequestHandler):
    """Answers with files, and with what the archive answers."""

    protocol_version = "HTTP/1.1"
    folder = Path()
    archive = 0
    authorization = ""
    kept = threading.local()

    def do_GET(self) -> None:
        """Answer; what is no file is the page, as a single-page application has it."""
        if self.path.startswith(ARCHIVE):
            self._from_archive()
            return
        asked = (self.folder / self.path.partition("?")[0].lstrip("/")).resolve()
        found = asked if asked.is_relative_to(self.folder) and asked.is_file() else self.folder / "index.html"
        self._answer(200, mimetypes.guess_type(found.name)[0] or "application/wasm", found.read_bytes())

    def _from_archive(self) -> None:
        if not hasattr(self.kept, "connection"):
            self.kept.connection = http.client.HTTPConnection("127.0.0.1", self.archive, timeout=60)
        headers = {"Authorization": self.authorization, "Accept": self.headers.get("Accept", "*/*")}
        self.kept.connection.request("GET", self.path, headers=headers)
        answer = self.kept.connection.getresponse()
        self._answer(answer.status, answer.getheader("Content-Type", "application/octet-stream"), answer.read())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if not self.path.startswith(ARCHIVE):
            self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing of each request."""


def main(argv: list[str]) -> None:
    """Serve until nobody listens to this any more."""
    Plain.folder, Plain.archive = Path(argv[0]).resolve(), int(argv[2])
    Plain.authorization = "Basic " + base64.b64encode(argv[3].encode()).decode()
    address, _, port = argv[1].rpartition(":")
    server = ThreadingHTTPServer((address, int(port)), Plain)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write("serving\n")
    sys.stdout.flush()
    while sys.stdin.buffer.read(CHUNK):
        pass
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
