#!/usr/bin/python3 -IS
"""Open the syslog edge to senders, or close it before the collector stops, and while it has no room.

After an orderly end of its connection each sender would lose its next line: it does not look for the end that TLS
announces. A reset it sees before it sends, and then it keeps what it has until the collector is back.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

EDGE = "/run/haproxy/admin.sock"
PORT = Path("/etc/pacslab/syslog-port")
FULL = Path("/run/pacslab/collector-full")  # there while the disk of the log has no room
READ_WITHIN = 0.2  # seconds for what has arrived


def tell_edge(command: str) -> None:
    """Pass HAProxy a command; one that does not run has no sender."""
    with socket.socket(socket.AF_UNIX) as edge:
        try:
            edge.connect(EDGE)
        except OSError:
            return
        edge.sendall(f"{command} frontend syslog\n".encode())
        edge.recv(4096)


def reset_senders() -> None:
    """End every sender's connection, and leave the collector time to read what came on it."""
    of_senders = ["state", "connected", f"sport = :{int(PORT.read_text())}"]
    subprocess.run(["ss", "--kill", "--tcp", "--numeric", *of_senders], stdout=subprocess.DEVNULL, check=True)
    time.sleep(READ_WITHIN)


def close() -> None:
    """Let no sender in, and end the connections of those who are."""
    tell_edge("disable")
    reset_senders()


def runs() -> bool:
    """Return whether the collector runs; when it does not, its start opens the edge."""
    return subprocess.run(["systemctl", "is-active", "--quiet", "rsyslog.service"], check=False).returncode == 0


def main() -> None:
    """Do what the argument says, ``open``, ``close``, ``full`` or ``room``; without a flow there is no edge."""
    if not PORT.exists():
        return
    verb = sys.argv[1]
    if verb == "full":
        FULL.touch()
    elif verb == "room":
        FULL.unlink(missing_ok=True)
    if verb in {"close", "full"}:
        close()
    elif not FULL.exists() and (verb == "open" or runs()):
        tell_edge("enable")


if __name__ == "__main__":
    main()
