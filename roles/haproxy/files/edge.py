#!/usr/bin/python3 -I
"""Have the edges of this host read their configuration again, and end open connections that it no longer lets in.

HAProxy judges a connection once, when it is opened; those that are open at a reload stay with the worker that has
them, whatever it is told later. Each leaves in the table ``open-connections`` what it was let in by
(templates/edge.j2): service, certificate, and a digest of what the flow said. ``edge reload`` reloads and starts the
unit that runs ``edge watch``, which compares these with the lists and flows of now, for as long as a handshake that
had begun before may take.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event
from pacslab_lists import RefusedError, read_lists

if TYPE_CHECKING:
    from collections.abc import Iterator

MASTER = "/run/haproxy-master.sock"
"""HAProxy's master process answers a reload when it is done (management guide, 9.4.1)."""
LISTS, AUTHORITIES = Path("/etc/pacslab/tls/crl.pem"), Path("/etc/pacslab/tls/ca.crt")
FLOWS = Path("/etc/haproxy/maps/flows.map")
WATCHED = 15.0
"""Seconds: longer than a handshake may take (timeout client-hs in haproxy.cfg), which the former worker judges."""
PAUSE = 1.0  # seconds
ANSWER_WITHIN = 20.0  # seconds; a reload waits until the new worker serves
WORKER = re.compile(r"^(\d+)\s+worker\s", re.MULTILINE)
ENTRY = re.compile(r" key=(?P<key>\S+) use=(?P<use>\d+) ")
SESSION = re.compile(r"^(?P<pointer>0x[0-9a-f]+): .*? src=(?P<source>\S+) ", re.MULTILINE)


@dataclass(frozen=True)
class Connection:
    """An open connection, and what it was let in by; ``said`` is a digest of what the caller's flow said then."""

    service: str
    certificate: str
    serial: int
    said: str
    address: str
    port: str

    @classmethod
    def of(cls, key: str) -> Connection | None:
        """Read an entry of the table; None when the caller showed no certificate."""
        service, certificate, serial, said, address, port = key.split("|")
        return cls(service, certificate, int(serial, 16), said, address, port) if serial else None


def ask(command: str) -> str:
    """Return what HAProxy's master process answers."""
    with socket.socket(socket.AF_UNIX) as master:
        master.settimeout(ANSWER_WITHIN)
        master.connect(MASTER)
        master.sendall(f"{command}\n".encode())
        master.shutdown(socket.SHUT_WR)  # it waits for further commands otherwise
        return master.makefile(encoding="utf-8", errors="replace").read()


def open_connections(worker: str) -> Iterator[Connection]:
    """Yield the connections that a worker has, the refused ones among them."""
    for entry in ENTRY.finditer(ask(f"@!{worker} show table open-connections")):
        connection = Connection.of(entry["key"])
        if connection is not None and int(entry["use"]) > 0:
            yield connection


def why_ended(connection: Connection, revoked: frozenset[int], flows: dict[str, str]) -> str | None:
    """Return the reason for which a connection would not be let in as it is, if there is one."""
    now = flows.get(f"{connection.service}/{connection.certificate}")
    if connection.serial in revoked:
        return "certificate-refused"
    if now is None:
        return "unlisted"
    return "permission-changed" if now != connection.said else None


def end(worker: str, connection: Connection, reason: str) -> None:
    """End a connection; one that is gone already leaves no event."""
    source = f"{connection.address}:{connection.port}"
    pointers = [
        found["pointer"] for found in SESSION.finditer(ask(f"@!{worker} show sess")) if found["source"] == source
    ]
    for pointer in pointers:
        ask(f"@!{worker} shutdown session {pointer}")
    if pointers:
        write_event(
            "end-connection",
            "refused",
            reason,
            certificate=connection.certificate,
            peer=connection.address,
            source_port=int(connection.port),
            service=connection.service,
        )


def judge() -> bool:
    """End what would not be let in now; say whether workers remain that have the former configuration.

    Raises:
        OSError: HAProxy does not answer, or a file cannot be read.
        RefusedError: the revocation lists at hand must not be used.
    """
    workers = WORKER.findall(ask("show proc"))
    lists = read_lists(LISTS.read_bytes(), AUTHORITIES.read_bytes())
    revoked = frozenset(serial for entry in lists for serial in entry.revoked)
    flows = dict(line.split() for line in FLOWS.read_text("utf-8").splitlines())
    for worker in workers:
        for connection in open_connections(worker):
            reason = why_ended(connection, revoked, flows)
            if reason:
                end(worker, connection, reason)
    return len(workers) > 1


def watch() -> int:
    """Judge again and again while a connection may still arrive that the former configuration lets in."""
    ends = time.monotonic() + WATCHED
    while True:
        is_last = time.monotonic() >= ends
        try:
            is_last = not judge() or is_last
        except (ConnectionRefusedError, FileNotFoundError):
            pass  # a restart has ended every connection
        except (OSError, RefusedError) as error:
            if is_last or not isinstance(error, ConnectionError):  # HAProxy's master hangs up while it reloads
                write_event("end-connection", "failed", "not-ready", error=type(error).__name__, detail=str(error))
                return 1
        if is_last:
            return 0
        time.sleep(PAUSE)


def reload() -> int:
    """Reload, and have the connections that are open judged."""
    answer = ask("reload")
    sys.stderr.write(answer)
    if not answer.startswith("Success=1"):
        return 1
    subprocess.run(["systemctl", "--no-block", "restart", "pacslab-edge.service"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit({"reload": reload, "watch": watch}[sys.argv[1]]())
