"""Frames and packets as they are on a cable, written octet by octet."""

from __future__ import annotations

import socket
import struct
from ipaddress import IPv4Address

from lab.engine.fabric import mac_address

ARP, IPV4, IPV6, VLAN = 0x0806, 0x0800, 0x86DD, 0x8100
TCP, ICMP = 6, 1
SYN, RST, ACK = 2, 4, 16


def mac(address: str) -> bytes:
    """The MAC address that the host of an address has in a lab."""
    return bytes.fromhex(mac_address(IPv4Address(address)).replace(":", ""))


def frame(source: str, target: str, kind: int, payload: bytes) -> bytes:
    """An Ethernet frame between the cards of two addresses."""
    return (mac(target) + mac(source) + struct.pack("!H", kind) + payload).ljust(60, b"\0")


def checksum(octets: bytes) -> int:
    """The Internet's checksum (RFC 1071)."""
    padded = octets + b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(source: str, target: str, protocol: int, payload: bytes) -> bytes:
    """A packet (RFC 791)."""
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    head = struct.pack("!BBHHHBB", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol)
    return head + struct.pack("!H", checksum(head + b"\0\0" + ends)) + ends + payload


def tcp(
    source: str,
    target: str,
    ports: tuple[int, int],
    flags: int,
    sequence: int = 1,
    *,
    acknowledged: int = 0,
    payload: bytes = b"",
) -> bytes:
    """A segment (RFC 9293)."""
    head = struct.pack("!HHIIBBH", *ports, sequence, acknowledged, 0x50, flags, 0xFFFF)
    ends = socket.inet_aton(source) + socket.inet_aton(target)
    pseudo = ends + struct.pack("!BBH", 0, TCP, 20 + len(payload))
    total = checksum(pseudo + head + b"\0\0\0\0" + payload)
    return ip(source, target, TCP, head + struct.pack("!HH", total, 0) + payload)


def unreachable(source: str, target: str, about: bytes, payload: bytes) -> bytes:
    """An error message (ICMP, RFC 792): a packet could not be delivered; whatever else follows it."""
    body = about[:28] + payload
    head = struct.pack("!BBHI", 3, 3, 0, 0)
    total = checksum(head + body)
    return ip(source, target, ICMP, head[:2] + struct.pack("!H", total) + head[4:] + body)


def arp(mac_of: str, address: str, asker: str, target: str, *, request: bool = False) -> bytes:
    """An ARP answer (RFC 826) that says who has an address; a request says so, too."""
    return (
        struct.pack("!HHBBH", 1, IPV4, 6, 4, 1 if request else 2)
        + (mac(mac_of) + socket.inet_aton(address))
        + (mac(asker) + socket.inet_aton(target))
    )
