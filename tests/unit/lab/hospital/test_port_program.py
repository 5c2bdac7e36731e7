"""The program that looks at ports finds a free one, and sees what listens and what does not."""

from __future__ import annotations

import socket
import subprocess
import sys

from lab.hospital.programs import program


def look(*words: str) -> subprocess.CompletedProcess[bytes]:
    argv = [sys.executable, "-I", "-", *words]
    return subprocess.run(argv, input=program("port.py"), capture_output=True, check=False)


def test_a_free_port_can_be_taken() -> None:
    with socket.create_server(("127.0.0.1", int(look("free").stdout))):
        pass


def test_what_listens_is_seen_and_what_does_not_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        assert look("await", port, "5").returncode == 0
    assert look("await", port, "0.2").returncode == 1
