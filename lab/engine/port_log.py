"""Runs in the fabric: tells of the frames that its ports refuse, in lines of JSON (Python's own library only).

Started as ``python3 -ISc SOURCE``. Each refused frame that the packet filter logs is an event with the keys of
``docs/events.md``; once a minute there is one for each port that has refused any, with how many there were. Lines go to
standard output, which Docker keeps, and to the host that collects logs: what is asked of its network namespace is one
connection to its loopback. Nothing is ever read from that connection. While it is away, lines wait, the latest of them.

``FACTS`` says where that is, and whose the ports are: ``{"collector": {"pid", "started", "address", "port"}, "ports":
{port: host}}``. Without a collector lines go to standard output alone.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

Event = dict[str, Any]

GROUP, TABLE, PREFIX = 1, "ports", "PDENY"
"""As ``port_filter`` has them."""
FACTS = Path("/run/pacslab/fabric.json")
COUNT_EVERY = 60.0  # seconds
CONNECT_EVERY = 2.0  # seconds between two attempts
WAITING = 5000  # lines
PRIORITY = 4 << 3 | 4  # RFC 5424: security messages, warning

NETLINK_NETFILTER = 12
CONFIGURE, PACKET = 4 << 8 | 1, 4 << 8 | 0  # subsystem nfnetlink_log, NFULNL_MSG_CONFIG and NFULNL_MSG_PACKET
# attributes of a logged packet (linux/netfilter/nfnetlink_log.h)
PAYLOAD, PREFIX_OF, HEADER, VLAN = 9, 10, 21, 20
COPY_OCTETS = 96
ETHERNETS = {0x0800: "ip", 0x0806: "arp", 0x86DD: "ipv6", 0x8100: "vlan", 0x88A8: "vlan"}
TRANSPORTS = {1: "icmp", 6: "tcp", 17: "udp"}


def attribute(kind: int, value: bytes) -> bytes:
    """One netlink attribute, padded to four octets."""
    return struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)


def listen() -> socket.socket:
    """A socket that the kernel hands the frames of the log group to, with their first octets."""
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    kernel.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    bind = attribute(1, struct.pack("=B", 1))  # NFULA_CFG_CMD: NFULNL_CFG_CMD_BIND
    mode = attribute(2, struct.pack("!IBB", COPY_OCTETS, 2, 0))  # NFULA_CFG_MODE: NFULNL_COPY_PACKET
    at_once = attribute(5, struct.pack("!I", 1))  # NFULA_CFG_QTHRESH
    for part in (bind, mode, at_once):
        body = struct.pack("!BBH", 0, 0, GROUP) + part
        kernel.send(struct.pack("=IHHII", 16 + len(body), CONFIGURE, 1, 0, 0) + body)
    return kernel


def attributes(message: bytes) -> dict[int, bytes]:
    """The attributes after the two headers of a netlink message."""
    found, at = {}, 20
    while at + 4 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if length < 4:  # noqa: PLR2004 # the attribute's own header
            break
        found[kind & 0x3FFF] = message[at + 4 : at + length]
        at += length + -length % 4
    return found


def messages(datagram: bytes) -> list[dict[int, bytes]]:
    """The logged packets in what the kernel sent."""
    found, at = [], 0
    while at + 16 <= len(datagram):
        length, kind = struct.unpack_from("=IH", datagram, at)
        if length < 16:  # noqa: PLR2004 # its own header
            break
        if kind == PACKET:
            found.append(attributes(datagram[at : at + length]))
        at += length + -length % 4
    return found


def mac(octets: bytes) -> str:
    """A MAC address as people write it."""
    return octets.hex(":")


def event_of(packet: dict[int, bytes], now: float) -> Event | None:
    """The event of a logged frame; None where another program's rule logged it."""
    words = packet.get(PREFIX_OF, b"").rstrip(b"\0").decode("ascii", "replace").split()
    if words[:1] != [PREFIX] or len(words) != 3:  # noqa: PLR2004 # the prefix, the host, the port
        return None
    header, payload = packet.get(HEADER, b""), packet.get(PAYLOAD, b"")
    kind = struct.unpack_from("!H", header, 12)[0] if len(header) >= 14 else 0  # noqa: PLR2004 # IEEE 802.3
    protocol = "vlan" if VLAN in packet else ETHERNETS.get(kind, "other")
    event = base(now, words[1], words[2])
    event["mac"] = mac(header[6:12])
    if protocol == "arp" and len(payload) >= 28:  # noqa: PLR2004 # RFC 826, for Ethernet and IPv4
        event |= {"mac": mac(payload[8:14]), "claims": socket.inet_ntoa(payload[14:18])}
        event["target"] = socket.inet_ntoa(payload[24:28])
    elif protocol == "ip" and len(payload) >= 20:  # noqa: PLR2004 # RFC 791
        protocol = TRANSPORTS.get(payload[9], "other")
        event["claims"], event["target"] = socket.inet_ntoa(payload[12:16]), socket.inet_ntoa(payload[16:20])
        ports = (payload[0] & 15) * 4
        if protocol in {"tcp", "udp"} and len(payload) >= ports + 4:
            event["source_port"], event["port"] = struct.unpack_from("!HH", payload, ports)
    return {**event, "protocol": protocol}


def base(now: float, host: str, port: str) -> Event:
    """What every event of a port has."""
    time = datetime.fromtimestamp(now, tz=timezone.utc).isoformat(timespec="milliseconds")  # noqa: UP017 # runs where it runs
    return {
        "time": time.replace("+00:00", "Z"),
        "action": "send-frame",
        "outcome": "refused",
        "reason": "foreign-frame",
        "peer": host,
        "fabric_port": port,
    }


class Counts:
    """How many frames each port has refused, from the filter's counters."""

    def __init__(self) -> None:
        """Begin with what the filter counts now."""
        self.known = self.read()

    @staticmethod
    def read() -> dict[str, int]:
        """The counters by port; none while there is no filter."""
        done = subprocess.run(
            ["nft", "--json", "list", "counters", "table", "bridge", TABLE], capture_output=True, text=True, check=False
        )
        listed = json.loads(done.stdout)["nftables"] if done.returncode == 0 else []
        return {entry["counter"]["name"]: entry["counter"]["packets"] for entry in listed if "counter" in entry}

    def grown(self) -> dict[str, int]:
        """How many more each port has refused than at the last look; a filter that is new counts from nothing."""
        now = self.read()
        more = {port: count - (self.known.get(port, 0) if count >= self.known.get(port, 0) else 0)
                for port, count in now.items()}  # fmt: skip
        self.known = now
        return {port: count for port, count in more.items() if count}


class Collector:
    """Sends lines to the host that collects logs, and keeps the latest of those that wait."""

    def __init__(self) -> None:
        """Know of no connection yet."""
        self.here = os.open("/proc/self/ns/net", os.O_RDONLY)
        self.connection: socket.socket | None = None
        self.waiting: deque[bytes] = deque(maxlen=WAITING)
        self.tried = 0.0

    def put(self, event: Event) -> None:
        """Take a line: RFC 5424, counted as RFC 6587 3.4.1 has it."""
        text = f"<{PRIORITY}>1 {event['time']} fabric pacslab-ports - - - {json.dumps(event)}".encode()
        self.waiting.append(b"%d %s" % (len(text), text))

    def send(self) -> None:
        """Send what waits, as far as the collector takes it."""
        while self.waiting and self.connected():
            try:
                self.connection.sendall(self.waiting[0])  # type: ignore[union-attr] # connected() says so
            except OSError:
                self.close()
                return
            self.waiting.popleft()

    def connected(self) -> bool:
        """Whether there is a connection; makes one, and not too often."""
        if self.connection is not None and select.select([self.connection], [], [], 0)[0]:
            self.close()  # it never says anything: it has ended
        if self.connection is None and time.monotonic() >= self.tried + CONNECT_EVERY:
            self.tried = time.monotonic()
            try:
                self.connection = self.connect(facts()["collector"])
            except (OSError, ValueError, KeyError, TypeError):
                return False
        return self.connection is not None

    def connect(self, where: Event) -> socket.socket:
        """Connect inside the host's network namespace, and come back.

        Raises:
            OSError: the host is not there, or does not listen.
        """
        handle = os.open(f"/proc/{where['pid']}/ns/net", os.O_RDONLY)
        try:
            if started(where["pid"]) != where["started"]:
                raise OSError("another process has its number")
            os.setns(handle, os.CLONE_NEWNET)  # type: ignore[attr-defined] # Python 3.12 on: the fabric's is newer
            try:
                connection = socket.socket()
            finally:
                os.setns(self.here, os.CLONE_NEWNET)  # type: ignore[attr-defined] # likewise
        finally:
            os.close(handle)
        try:
            connection.settimeout(1)
            connection.bind((where["address"], 0))
            connection.connect(("127.0.0.1", where["port"]))
        except OSError:
            connection.close()
            raise
        return connection

    def close(self) -> None:
        """End the connection; the next attempt makes another."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def facts() -> Event:
    """What is known of the ports and of the collector; nothing before the network is joined."""
    try:
        return dict(json.loads(FACTS.read_text("ascii")))
    except (OSError, ValueError):
        return {}


def started(pid: int) -> str:
    """When a process was started, in the kernel's own count (proc(5)): it tells a number that was used again."""
    return Path(f"/proc/{pid}/stat").read_text("ascii", errors="replace").rpartition(")")[2].split()[19]


def main() -> None:
    """Tell of refused frames until the end."""
    kernel, collector, counts = listen(), Collector(), Counts()
    counted = time.monotonic()
    while True:
        events: list[Event] = []
        if select.select([kernel], [], [], 1.0)[0]:
            try:
                packets = messages(kernel.recv(65536))
            except OSError:  # more came than the kernel keeps; the counters have them
                packets = []
            events += [event for packet in packets if (event := event_of(packet, time.time()))]
        if time.monotonic() > counted + COUNT_EVERY:
            counted = time.monotonic()
            hosts = facts().get("ports", {})
            events += [
                {**base(time.time(), hosts.get(port, port), port), "frames": count}
                for port, count in counts.grown().items()
            ]
        for event in events:
            sys.stdout.write(json.dumps(event) + "\n")
            collector.put(event)
        sys.stdout.flush()
        collector.send()


if __name__ == "__main__":
    main()
