"""Images through the Docker SDK: what it raises becomes our own errors, with a remedy."""

from __future__ import annotations

import http.server
import json
import socket
import socketserver
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from lab.engine.client import ConflictError, NotFoundError
from lab.engine.images import Images
from lab.errors import EngineError, MachineNotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = {"Id": "sha256:1", "RepoTags": ["pacslab/base:1"], "Labels": {"pacslab.key": "1"}}


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """An engine that answers as it is told; the requests that came are kept."""

    daemon_threads = True
    status = 200
    asked: list[str]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request with the engine's status."""

    server: Engine

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append(f"{self.command} {self.path}")
        status, body = self.server.status, {"message": "no, because"}
        if self.path.endswith("/version"):
            status, body = 200, {"ApiVersion": "1.44"}
        data = json.dumps([IMAGE] if status == 200 and "/images/json" in self.path else body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 # the names that the library looks for

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def address_string(self) -> str:
        """A Unix socket has none."""
        return ""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(str(tmp_path / "docker.sock"), Handler) as server:
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def images(engine: Engine) -> Images:
    return Images(str(engine.server_address))


def test_images_are_listed_by_label(engine: Engine) -> None:
    assert images(engine).listed("pacslab.key", "pacslab.part=host") == [IMAGE]
    assert "pacslab.part%3Dhost" in engine.asked[-1]


def test_what_is_in_use_is_a_conflict(engine: Engine) -> None:
    engine.status = 409
    with pytest.raises(ConflictError, match="no, because"):
        images(engine).remove("pacslab/base:1")
    with pytest.raises(ConflictError):
        images(engine).remove_volume("x")


def test_what_is_gone_needs_no_removing(engine: Engine) -> None:
    engine.status = 404
    images(engine).remove("pacslab/base:1")
    assert images(engine).remove_volume("x") is False


def test_a_container_that_is_gone_cannot_be_kept(engine: Engine) -> None:
    engine.status = 404
    with pytest.raises(NotFoundError, match="to keep ct1"):
        images(engine).commit("ct1", "pacslab/x", "1", {})


def test_keeping_a_container_does_not_pause_it(engine: Engine) -> None:
    engine.status = 500
    with pytest.raises(EngineError, match="no, because"):
        images(engine).commit("ct1", "pacslab/x", "1", {"Labels": {"a": "b"}})
    assert "pause=False" in engine.asked[-1] or "pause=0" in engine.asked[-1]


def test_an_engine_that_is_not_there_is_the_machines_fault(tmp_path: Path) -> None:
    with pytest.raises(MachineNotReadyError, match="No such file or directory") as error:
        Images(str(tmp_path / "none.sock")).listed("x")
    assert "make setup" in error.value.remedy


def test_an_engine_that_does_not_listen_is_the_machines_fault(tmp_path: Path) -> None:
    path = tmp_path / "dead.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(MachineNotReadyError, match="Connection refused"):
        Images(str(path)).listed("x")


def test_the_sdk_is_imported_by_the_first_call_only() -> None:
    code = "import sys; from lab.engine.images import Images; Images('/x'); print('docker' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
