"""Print who connects to a port of the host this runs on; sent to a container as text, so standard library only.

Arguments: the port, and optionally after how many connections to end. Output: the address of each peer, one a line.
"""

from __future__ import annotations

import socket
import sys


def listen(port: int, most: int | None = None) -> None:
    """Accept connections and close them again, on every address."""
    with socket.create_server(("", port)) as server:
        accepted = 0
        while most is None or accepted < most:
            connection, peer = server.accept()
            sys.stdout.write(f"{peer[0]}\n")
            sys.stdout.flush()
            connection.close()
            accepted += 1


if __name__ == "__main__":
    listen(*(int(word) for word in sys.argv[1:]))
