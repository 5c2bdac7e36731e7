"""Runs in the fabric: puts frames on cables and tells which of them arrived elsewhere (Python's own library only).

Started as ``python3 -ISc SOURCE`` with its task as JSON on standard input: ``{"watch": [{"name", "pid", "interface"}],
"send": [{"name", "pid" (null: the fabric itself), "interface", "frame" (hex), "at" (whom it is for), "mark" (hex)}]}``.
Prints the names of those whose mark was seen at the host that they were for. With ``{"hear": {"pid", "interface",
"source", "port", "own", "seconds"}}`` it prints the sequence number that the next segment (TCP) from an address and
port to the port ``own`` will have, as it is heard on that interface; null where nothing came. Only the network of a
host is entered, and nothing of the host is run.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import sys
import time
from typing import Any

PATIENCE = 1.0  # seconds after the last frame
PAUSE = 0.005  # seconds between two frames, so that no limit of the network is met
ALL_PROTOCOLS = 3  # ETH_P_ALL (linux/if_ether.h)


def card(pid: int | None, interface: str, here: int) -> socket.socket:
    """A socket that sends and takes whole frames on an interface of a host, or of the fabric."""
    if pid is not None:
        handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        os.setns(handle, os.CLONE_NEWNET)  # type: ignore[attr-defined] # Python 3.12 on: the fabric's is newer than ours
        os.close(handle)
    try:
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        made.bind((interface, 0))
    finally:
        os.setns(here, os.CLONE_NEWNET)  # type: ignore[attr-defined] # likewise
    return made


def look(watched: dict[socket.socket, str], marks: dict[str, list[tuple[str, bytes]]], seconds: float) -> set[str]:
    """Take what arrives for a while; the answer is whose mark was in it."""
    found: set[str] = set()
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        for ready in select.select(list(watched), [], [], left)[0]:
            frame, address = ready.recvfrom(4096)
            if address[2] != socket.PACKET_OUTGOING:
                found |= {name for name, mark in marks[watched[ready]] if mark in frame}
    return found


def run(task: dict[str, Any]) -> list[str]:
    """Send everything, and watch meanwhile."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    watched = {card(entry["pid"], entry["interface"], here): entry["name"] for entry in task["watch"]}
    marks: dict[str, list[tuple[str, bytes]]] = {name: [] for name in watched.values()}
    found: set[str] = set()
    cards: dict[tuple[int | None, str], socket.socket] = {}
    for entry in task["send"]:
        marks[entry["at"]].append((entry["name"], bytes.fromhex(entry["mark"])))
        where = (entry["pid"], entry["interface"])
        cards[where] = cards.get(where) or card(*where, here)
        cards[where].send(bytes.fromhex(entry["frame"]))
        found |= look(watched, marks, PAUSE)
    return sorted(found | look(watched, marks, PATIENCE))


def hear(wanted: dict[str, Any]) -> int | None:
    """Wait for a segment of a connection; the answer is the number after its last octet (RFC 9293 3.4)."""
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    listening = card(wanted["pid"], wanted["interface"], here)
    source = socket.inet_aton(wanted["source"])
    deadline = time.monotonic() + wanted["seconds"]
    while (left := deadline - time.monotonic()) > 0:
        if select.select([listening], [], [], left)[0]:
            packet = listening.recv(4096)[14:]
            head = (packet[0] & 15) * 4
            if packet[9] == socket.IPPROTO_TCP and packet[12:16] == source:
                port, own, number, _, offset, flags = struct.unpack_from("!HHIIBB", packet, head)
                if (port, own) == (wanted["port"], wanted["own"]):
                    length = struct.unpack_from("!H", packet, 2)[0] - head - (offset >> 4) * 4
                    following: int = number + length + bool(flags & 3)  # SYN and FIN take a number, too
                    return following % (1 << 32)
    return None


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    json.dump(hear(asked["hear"]) if "hear" in asked else run(asked), sys.stdout)
