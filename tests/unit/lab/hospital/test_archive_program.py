"""The program that asks an archive on its host identifies itself, waits for a restart, and tells what went wrong."""

from __future__ import annotations

import base64
import hashlib
import http.server
import json
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar

from lab.hospital.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STUDY = "2.25.1"
INSTANCES = [
    {"ID": "i1", "MainDicomTags": {"SOPInstanceUID": "2.25.11"}, "RequestedTags": {"Rows": "512"}},
    {"ID": "i2", "MainDicomTags": {"SOPInstanceUID": "2.25.12"}, "RequestedTags": {"Rows": ""}},
]


class Handler(http.server.BaseHTTPRequestHandler):
    """An archive with a study of one image and one document."""

    asked: ClassVar[list[tuple[str, str, str]]] = []

    def answer(self) -> None:
        """Answer what is known, with 401 for a stranger and 404 for the rest."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        self.asked.append((self.command, self.path, body))
        known = {
            "/tools/find": json.dumps(INSTANCES).encode(),
            "/instances/i1/frames": b'["0", "1"]',
            "/instances/i1/frames/0/raw": b"first",
            "/instances/i1/frames/1/raw": b"second",
        }
        told = self.headers.get("Authorization") == "Basic " + base64.b64encode(b"pacslab:secret").decode()
        self.send_response(401 if not told else 200 if self.path in known else 404)
        self.end_headers()
        self.wfile.write(known.get(self.path, b"nothing here"))

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 # the names that http.server calls

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def archive(port: int = 0) -> Iterator[int]:
    Handler.asked.clear()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ask(folder: Path, port: int, *words: str, user: str = "pacslab:secret") -> subprocess.CompletedProcess[bytes]:
    credentials = folder / "health.curl"
    credentials.write_text(f'url = "http://127.0.0.1:{port}/system"\nuser = "{user}"\n', "utf-8")
    argv = [sys.executable, "-I", "-", str(credentials), f"http://127.0.0.1:{port}", *words]
    return subprocess.run(argv, input=program("archive.py"), capture_output=True, check=False)


def test_a_request_is_made_with_the_probes_credentials_and_its_answer_printed(tmp_path: Path) -> None:
    with archive() as port:
        done = ask(tmp_path, port, "request", "POST", "/tools/find", '{"Level": "Instance"}')
    assert json.loads(done.stdout) == INSTANCES
    assert Handler.asked == [("POST", "/tools/find", '{"Level": "Instance"}')]


def test_pixel_data_is_digested_over_all_frames_of_what_has_any(tmp_path: Path) -> None:
    with archive() as port:
        done = ask(tmp_path, port, "pixels", STUDY)
    assert json.loads(done.stdout) == {"2.25.11": hashlib.sha256(b"firstsecond").hexdigest()}


def test_a_refusal_is_told_with_its_code(tmp_path: Path) -> None:
    with archive() as port:
        missing = ask(tmp_path, port, "request", "DELETE", "/studies/x")
        stranger = ask(tmp_path, port, "request", "GET", "/tools/find", user="pacslab:other")
    assert (missing.returncode, stranger.returncode) == (1, 1)
    assert missing.stderr.startswith(b"404 ")
    assert stranger.stderr.startswith(b"401 ")


def test_an_archive_that_restarts_is_waited_for(tmp_path: Path) -> None:
    with archive() as port:
        pass
    found: list[subprocess.CompletedProcess[bytes]] = []
    asking = threading.Thread(target=lambda: found.append(ask(tmp_path, port, "request", "GET", "/tools/find")))
    asking.start()
    time.sleep(0.3)  # nothing listens when it asks first; a quicker or slower start of Python changes nothing
    with archive(port):
        asking.join()
    assert json.loads(found[0].stdout) == INSTANCES
