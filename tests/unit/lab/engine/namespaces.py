"""A lab's network in namespaces of a test's own, joined as the fabric joins it; runs inside ``unshare --net``.

``unshared`` starts a program there: it reads its task as JSON from standard input and writes its answer as JSON.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lab.engine import wire
from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.engine.wire import Thing

PATIENCE = 0.4
"""Seconds for a frame to cross the network."""
NO_IPV6 = "for f in all default; do echo 1 >/proc/sys/net/ipv6/conf/$f/disable_ipv6; done"
HOST = f"{NO_IPV6}; ip link set lo up; echo; exec sleep 600"
ALL_PROTOCOLS = 3

if not hasattr(os, "setns"):  # Python 3.12 has it, and the fabric a newer one
    os.setns = ctypes.CDLL(None, use_errno=True).setns  # type: ignore[attr-defined]
    os.CLONE_NEWNET = 0x40000000  # type: ignore[attr-defined]


def unshared(program: Path, task: dict[str, Any]) -> dict[str, Any]:
    """Run a program of the tests where it is root of a network of its own."""
    command = ["unshare", "--user", "--map-root-user", "--net", sys.executable, str(program)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(
        command,
        input=json.dumps(task),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


class Network:
    """Hosts as network namespaces, wired by ``lab.engine.wire``."""

    def __init__(self, wanted: Thing, state: str) -> None:
        """Start the hosts and join them.

        ``changes`` has what was missing at the first look and at the second.
        """
        wire.STATE = state
        subprocess.run(["sh", "-c", NO_IPV6], check=True)
        self.here = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.wanted = wanted
        self.processes = [self._start(host) for host in wanted["hosts"]]
        self.pids = {host["name"]: host["pid"] for host in wanted["hosts"]}
        self.changes = [self._apply(), self._apply()]

    @staticmethod
    def _start(host: Thing) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["unshare", "--net", "sh", "-c", HOST], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        host["pid"] = process.pid
        return process

    def _apply(self) -> list[str]:
        return wire.join(self.wanted, self.here, apply=True).changes

    def close(self) -> None:
        """End the hosts."""
        for process in self.processes:
            process.kill()

    @contextmanager
    def inside(self, host: str) -> Iterator[None]:
        """Be in a host's network namespace for a while."""
        wire.enter(self.pids[host])
        try:
            yield
        finally:
            wire.go_to(self.here)

    def run(self, host: str, *argv: str) -> str:
        """Run a command in a host's network namespace."""
        with self.inside(host):
            return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def interface(self, host: str) -> str:
        """The name of a host's first interface."""
        hosts = {entry["name"]: entry for entry in self.wanted["hosts"]}
        return str(hosts[host]["ports"][0]["interface"])

    def card(self, host: str) -> socket.socket:
        """A socket that sends and takes whole frames on a host's first interface."""
        with self.inside(host):
            return frames_of(self.interface(host))


def frames_of(interface: str) -> socket.socket:
    """A socket that sends and takes whole frames on an interface of the current namespace."""
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    made.bind((interface, 0))
    return made


def arrives(source: socket.socket, target: socket.socket, frame: bytes, mark: bytes | None = None) -> bool:
    """Whether a frame that is sent is taken elsewhere: as it is but for its padding, or one that holds a mark."""
    source.send(frame)
    deadline = time.monotonic() + PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([target], [], [], left)[0]:
            break
        taken = target.recv(4096)
        if (mark in taken) if mark is not None else (taken.rstrip(b"\0") == frame.rstrip(b"\0")):
            return True
    return False
