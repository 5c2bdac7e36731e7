"""The listener beside the lab writes down who connected."""

from __future__ import annotations

import socket
import subprocess
import sys

from lab.verify.sink import LISTENER
from tests.unit.simulators.peers import free_port
from tests.unit.waiting import wait_until


def connects(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def test_every_peer_is_written_down() -> None:
    port = free_port()
    argv = [sys.executable, "-I", "-c", LISTENER, str(port), "2"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as listener:
        for _ in range(2):
            wait_until(lambda: connects(port), "the listener does not listen")
        said, _ = listener.communicate(timeout=10)
    assert said.split() == ["127.0.0.1", "127.0.0.1"]
