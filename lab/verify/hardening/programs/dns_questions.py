"""Asks a name server for the addresses of names (RFC 1035), and prints what it answers as JSON.

Arguments: names; first ``@ADDRESS`` for a server other than the first of /etc/resolv.conf.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
from pathlib import Path

TIMEOUT = 3.0
HEADER = struct.Struct("!6H")
ADDRESS = struct.Struct("!HHHIH")  # a name that points elsewhere, type, class, time to live, length
A, IN = 1, 1


def question(number: int, name: str) -> bytes:
    """A question for a name's addresses."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return HEADER.pack(number, 0, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!HH", A, IN)


def answer(message: bytes, asked: bytes) -> dict[str, object]:
    """What a server answers: its code, and the addresses."""
    _, flags, _, count, _, _ = HEADER.unpack_from(message)
    addresses, at = [], len(asked)
    for _ in range(count):
        _, kind, _, _, size = ADDRESS.unpack_from(message, at)
        at += ADDRESS.size
        if kind == A:
            addresses.append(socket.inet_ntoa(message[at : at + size]))
        at += size
    return {"code": flags & 0xF, "addresses": addresses}


def ask(server: str, names: list[str]) -> dict[str, dict[str, object]]:
    """Ask one name after the other; a name without an answer has no code."""
    found: dict[str, dict[str, object]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as place:
        place.settimeout(TIMEOUT)
        place.connect((server, 53))
        for number, name in enumerate(names):
            asked = question(number, name)
            try:
                place.send(asked)
                found[name] = answer(place.recv(4096), asked)
            except OSError as error:
                return {name: {"code": None, "why": type(error).__name__} for name in names}
    return found


def configured() -> str:
    """The name server that the host asks first."""
    lines = [line.split() for line in Path("/etc/resolv.conf").read_text("utf-8").splitlines()]
    return next(fields[1] for fields in lines if fields[:1] == ["nameserver"])


if __name__ == "__main__":
    chosen = [name[1:] for name in sys.argv[1:] if name.startswith("@")]
    server = chosen[0] if chosen else configured()
    names = [name for name in sys.argv[1:] if not name.startswith("@")]
    json.dump({"server": server, "answers": ask(server, names)}, sys.stdout)
