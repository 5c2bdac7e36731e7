"""Asks every address of zones by ARP who has it (RFC 826), and prints who answered (Python's own library only).

It runs in the firewall's place in the network, which has a card in every zone. Argument: JSON, a list of
``{"interface", "address", "targets", "wanted"}``: the addresses to ask, and those of them that are asked again while
they are silent.
Output: for each interface the addresses that answered, each with the cards that said so.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import time
from typing import Any

ARP, IPV4, ANSWER = 0x0806, 0x0800, 2
RATE = 1000  # questions a second, over all interfaces
PATIENCE = 1.0  # seconds after the last question
ROUNDS = 3
SHORTEST = 60  # octets of a frame

Found = dict[str, dict[str, list[str]]]


def question(card: bytes, address: str, target: str) -> bytes:
    """The frame that asks who has an address."""
    head = b"\xff" * 6 + card + struct.pack("!HHHBBH", ARP, 1, IPV4, 6, 4, 1)
    body = card + socket.inet_aton(address) + bytes(6) + socket.inet_aton(target)
    return (head + body).ljust(SHORTEST, b"\0")


def answer(frame: bytes) -> tuple[str, str] | None:
    """Who has which address, where a frame is an answer: the address, and the card that says so."""
    if len(frame) < 42 or struct.unpack_from("!HHHBBH", frame, 12) != (ARP, 1, IPV4, 6, 4, ANSWER):  # noqa: PLR2004 # RFC 826
        return None
    return socket.inet_ntoa(frame[28:32]), frame[22:28].hex(":")


def listen(cards: dict[socket.socket, str], found: Found, seconds: float) -> None:
    """Take what arrives for a while."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        for ready in select.select(list(cards), [], [], left)[0]:
            frame, origin = ready.recvfrom(2048)
            told = answer(frame)
            if told is not None and origin[2] != socket.PACKET_OUTGOING:
                said = found[cards[ready]].setdefault(told[0], [])
                said += [told[1]] if told[1] not in said else []


def ask(cards: dict[str, socket.socket], zone: dict[str, Any], targets: list[str]) -> list[tuple[socket.socket, bytes]]:
    """The questions of a zone, each with the card that sends it."""
    card = cards[zone["interface"]]
    mac = card.getsockname()[4]
    return [(card, question(mac, zone["address"], target)) for target in targets]


def run(zones: list[dict[str, Any]]) -> Found:
    """Ask everybody, then those again who should have answered."""
    cards = {}
    for zone in zones:
        cards[zone["interface"]] = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ARP))
        cards[zone["interface"]].bind((zone["interface"], 0))
    heard_by = {card: interface for interface, card in cards.items()}
    found: Found = {zone["interface"]: {} for zone in zones}
    for attempt in range(ROUNDS):
        wanted = "wanted" if attempt else "targets"
        left = [
            entry
            for zone in zones
            for entry in ask(cards, zone, [each for each in zone[wanted] if each not in found[zone["interface"]]])
        ]
        for card, frame in left:
            card.send(frame)
            listen(heard_by, found, 1 / RATE)
        if left:
            listen(heard_by, found, PATIENCE)
    return found


if __name__ == "__main__":
    json.dump(run(json.loads(sys.argv[1])), sys.stdout)
