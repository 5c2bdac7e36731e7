#!/usr/bin/python3 -IS
"""Open the syslog edge to senders, or close it before the collector stops.

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


def main() -> None:
    """Do what the argument says, ``open`` or ``close``; without a flow there is no edge."""
    if not PORT.exists():
        return
    if sys.argv[1] == "open":
        tell_edge("enable")
    else:
        tell_edge("disable")
        reset_senders()


if __name__ == "__main__":
    main()
