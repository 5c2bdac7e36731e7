"""Runs on a host: has HAProxy read its configuration again, and ends when the new one serves."""

from __future__ import annotations

import socket
import sys

MASTER = "/run/haproxy-master.sock"
"""HAProxy's master process answers a reload when it is done (management guide, 9.4.1)."""


def main() -> int:
    """Ask; 0 when it was done, 1 when the configuration was refused."""
    with socket.socket(socket.AF_UNIX) as master:
        master.connect(MASTER)
        master.sendall(b"reload\n")
        answer = master.makefile(encoding="utf-8").read()
    sys.stderr.write(answer)
    return 0 if answer.startswith("Success=1") else 1


if __name__ == "__main__":
    sys.exit(main())
