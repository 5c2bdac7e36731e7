"""Look at loopback ports of the host this runs on; sent there as text, so standard library only.

Arguments: ``free`` prints a port that nobody uses; ``await PORT SECONDS`` waits until something listens there, and ends
with 1 when nothing does within that time.
"""

from __future__ import annotations

import socket
import sys
import time

LOOPBACK = "127.0.0.1"
PAUSE = 0.1


def free() -> int:
    """A TCP port that nobody uses now."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def listens(port: int, seconds: float) -> bool:
    """Whether something accepts connections within a time."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((LOOPBACK, port), 1).close()
        except OSError:
            if time.monotonic() > end:
                return False
            time.sleep(PAUSE)
        else:
            return True


if __name__ == "__main__":
    verb, *words = sys.argv[1:]
    if verb == "free":
        sys.stdout.write(f"{free()}\n")
    else:
        sys.exit(0 if listens(int(words[0]), float(words[1])) else 1)
