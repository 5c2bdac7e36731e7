"""Try many connections at once from the host this runs on; sent to lab hosts as text, so standard library only.

Argument: JSON ``{"timeout": seconds, "rate": attempts a second, "targets": [[protocol, address, port], ...]}``.
Output: a JSON list with one outcome for each target, in the same order:

- ``connected``: the handshake completed (TCP), or an answer came back (UDP);
- ``refused``: a reset (TCP) or a port-unreachable message (UDP) came back, so the packet *arrived* somewhere;
- ``unreachable``: the network said at once that there is no way;
- ``timeout``: nothing came back.
"""

from __future__ import annotations

import errno
import json
import selectors
import socket
import sys
import time

ANSWERS = {
    0: "connected",
    errno.ECONNREFUSED: "refused",
    errno.ENETUNREACH: "unreachable",
    errno.EHOSTUNREACH: "unreachable",
    errno.EACCES: "unreachable",
    errno.EPERM: "unreachable",
    errno.EADDRNOTAVAIL: "unreachable",
    errno.EAFNOSUPPORT: "unreachable",
    errno.ETIMEDOUT: "timeout",
}


def outcome(code: int) -> str:
    """Name an error number as one of the outcomes; one that is not known keeps its own name."""
    return ANSWERS.get(code, errno.errorcode.get(code, str(code)))


def start(protocol: str, address: str, port: int) -> tuple[socket.socket | None, str]:
    """Send the first packet; return the socket to wait for, or None and the outcome known already."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    try:
        sock = socket.socket(family, kind)
    except OSError as error:
        return None, outcome(error.errno or 0)
    sock.settimeout(0)
    code = sock.connect_ex((address, port))
    if protocol == "udp" and code == 0:
        try:
            sock.send(b"\0")
        except OSError as error:
            code = error.errno or 0
        else:
            return sock, "timeout"
    if code == errno.EINPROGRESS:
        return sock, "timeout"
    sock.close()
    return None, outcome(code)


def run(targets: list[list[str | int]], timeout: float, rate: float) -> list[str]:
    """Try every target, at most ``rate`` new attempts a second; each has ``timeout`` seconds to be answered."""
    results = ["timeout"] * len(targets)
    deadlines: dict[int, tuple[socket.socket, float]] = {}
    begun = time.monotonic()
    following = 0
    with selectors.DefaultSelector() as waiting:
        while following < len(targets) or deadlines:
            now = time.monotonic()
            while following < len(targets) and following <= (now - begun) * rate:
                protocol, address, port = targets[following]
                sock, results[following] = start(str(protocol), str(address), int(port))
                if sock is not None:
                    event = selectors.EVENT_WRITE if protocol == "tcp" else selectors.EVENT_READ
                    waiting.register(sock, event, following)
                    deadlines[following] = (sock, now + timeout)
                following += 1
            for key, _ in waiting.select(0.02):
                sock, _ = deadlines.pop(key.data)
                results[key.data] = outcome(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
                waiting.unregister(sock)
                sock.close()
            now = time.monotonic()
            for number in [number for number, (_, deadline) in deadlines.items() if deadline < now]:
                sock, _ = deadlines.pop(number)
                waiting.unregister(sock)
                sock.close()
    return results


if __name__ == "__main__":
    wanted = json.loads(sys.argv[1])
    json.dump(run(wanted["targets"], wanted["timeout"], wanted["rate"]), sys.stdout)
