"""Runs on a workstation: joins standard input and output to a TCP connection (Python's own library only).

Started as ``python3 -c SOURCE ADDRESS PORT``, so that the connection begins in the workstation's own network and the
lab's firewall judges it. Ends with 0 when both sides have closed, 1 when the connection is refused.
"""

from __future__ import annotations

import os
import socket
import sys
import threading


def main() -> None:
    """Connect, and copy in both directions until both have ended."""
    try:
        peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10)
    except OSError as error:
        raise SystemExit(str(error)) from error
    peer.settimeout(None)
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send() -> None:
        try:
            while data := os.read(0, 65536):
                peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
        except OSError:
            return  # the peer has closed; what it said is still read below

    threading.Thread(target=send, daemon=True).start()
    try:
        while data := peer.recv(65536):
            os.write(1, data)
    except OSError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
