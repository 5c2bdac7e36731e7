"""Conversations as they are on a cable, and the file that a capture of them is (libpcap)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.engine.packets import ACK, ICMP, IPV4, SYN, checksum, frame, ip, tcp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAGIC, VERSION, ETHERNET = 0xA1B2C3D4, (2, 4), 1
"""Of the file's head: times have microseconds; frames are Ethernet's (pcap-savefile(5))."""
LONGEST = 65535
MSS = 1400
"""Octets of a segment at most."""
FIN, PSH, URG = 1, 8, 32
PER_SECOND = 100
"""How many frames there are in a second."""


@dataclass(frozen=True)
class Said:
    """What one side says at once."""

    by_client: bool
    octets: bytes


def client(octets: bytes) -> Said:
    """What who called says."""
    return Said(by_client=True, octets=octets)


def server(octets: bytes) -> Said:
    """What who was called says."""
    return Said(by_client=False, octets=octets)


def called(source: str, target: str, ports: tuple[int, int], flags: int = SYN) -> bytes:
    """The first frame of a connection."""
    return frame(source, target, IPV4, tcp(source, target, ports, flags))


def echo_request(source: str, target: str) -> bytes:
    """Somebody asks whether an address answers (RFC 792)."""
    head = struct.pack("!BBHI", 8, 0, 0, 1)
    return frame(
        source, target, IPV4, ip(source, target, ICMP, head[:2] + struct.pack("!H", checksum(head)) + head[4:])
    )


def connection(source: str, target: str, ports: tuple[int, int], said: Iterable[Said]) -> Iterator[bytes]:
    """The frames of a connection from its first to its last."""
    back = (ports[1], ports[0])
    ours, theirs = 1, 1
    yield called(source, target, ports)
    ours += 1
    yield frame(target, source, IPV4, tcp(target, source, back, SYN | ACK, theirs, acknowledged=ours))
    theirs += 1
    yield frame(source, target, IPV4, tcp(source, target, ports, ACK, ours, acknowledged=theirs))
    for part in said:
        for start in range(0, len(part.octets), MSS):
            octets = part.octets[start : start + MSS]
            if part.by_client:
                yield frame(
                    source,
                    target,
                    IPV4,
                    tcp(source, target, ports, PSH | ACK, ours, acknowledged=theirs, payload=octets),
                )
                ours += len(octets)
                yield frame(target, source, IPV4, tcp(target, source, back, ACK, theirs, acknowledged=ours))
            else:
                yield frame(
                    target,
                    source,
                    IPV4,
                    tcp(target, source, back, PSH | ACK, theirs, acknowledged=ours, payload=octets),
                )
                theirs += len(octets)
                yield frame(source, target, IPV4, tcp(source, target, ports, ACK, ours, acknowledged=theirs))
    yield frame(source, target, IPV4, tcp(source, target, ports, FIN | ACK, ours, acknowledged=theirs))
    yield frame(target, source, IPV4, tcp(target, source, back, FIN | ACK, theirs, acknowledged=ours + 1))
    yield frame(source, target, IPV4, tcp(source, target, ports, ACK, ours + 1, acknowledged=theirs + 1))


def capture(frames: Iterable[bytes], began: int) -> bytes:
    """The file; ``began`` is when its first frame was sent, in seconds since 1970."""
    parts = [struct.pack("<IHHiIII", MAGIC, *VERSION, 0, 0, LONGEST, ETHERNET)]
    for number, octets in enumerate(frames):
        seconds, part = divmod(number, PER_SECOND)
        when = (began + seconds, part * 1_000_000 // PER_SECOND)
        parts.append(struct.pack("<IIII", *when, len(octets), len(octets)) + octets)
    return b"".join(parts)
