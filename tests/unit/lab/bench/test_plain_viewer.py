"""The viewer's files in front of an archive's own interface, served as long as whoever started it listens."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from lab.bench.programs import program
from lab.deadline import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Archive(BaseHTTPRequestHandler):
    """Answers with what it was asked, and by whom."""

    def do_GET(self) -> None:
        """Answer."""
        body = f"{self.path} {self.headers['Authorization']} {self.headers['Accept']}".encode()
        self.send_response(206)
        self.send_header("Content-Type", "multipart/related; boundary=x")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Where it is served, and the program."""
    (tmp_path / "index.html").write_text("the page")
    (tmp_path / "app.js").write_text("the script")
    (tmp_path.parent / "secret").write_text("not served")
    archive = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    threading.Thread(target=archive.serve_forever, daemon=True).start()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [str(tmp_path), f"127.0.0.1:{port}", str(archive.server_port), "reader:secret"]
    argv = [sys.executable, "-I", "-c", program("plain_viewer.py").decode(), *words]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        assert started.stdout.readline() == b"serving\n"
        yield f"http://127.0.0.1:{port}", started
        started.kill()
    archive.shutdown()


def ask(address: str) -> tuple[int, str, str]:
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 # on loopback
        return answer.status, answer.headers["Content-Type"], answer.read().decode()


def test_files_are_served_and_every_other_path_is_the_page(served: tuple[str, subprocess.Popen[bytes]]) -> None:
    base, _ = served
    assert ask(f"{base}/app.js") == (200, "text/javascript", "the script")
    assert ask(f"{base}/viewer?StudyInstanceUIDs=1.2")[2] == "the page"
    assert ask(f"{base}/../secret")[2] == "the page"


def test_the_archive_is_asked_with_its_credentials(served: tuple[str, subprocess.Popen[bytes]]) -> None:
    base, _ = served
    answer = ask(f"{base}/dicom-web/studies?limit=1")
    assert answer == (206, "multipart/related; boundary=x", "/dicom-web/studies?limit=1 Basic cmVhZGVyOnNlY3JldA== */*")


def test_it_ends_with_whoever_started_it(served: tuple[str, subprocess.Popen[bytes]]) -> None:
    _, started = served
    assert started.stdin is not None
    started.stdin.close()
    assert wait_until(lambda: started.poll() == 0, 5, 0.05)
