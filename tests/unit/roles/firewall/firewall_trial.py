"""Runs in namespaces of its own: a firewall with the rules that its roles give it, and hosts around it.

Standard input: ``{"state": folder, "wanted": network without pids, "rules": path, "gateway": host, "addresses": {host:
address}, "gateways": {host: address}, "scene": name}``. Output: what the scene saw.

Frames are put on the firewall's own cable, past the fabric's filter: what is judged here is the firewall's.
"""

from __future__ import annotations

import json
import random
import select
import socket
import struct
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.engine import port_log, wire
from lab.engine.packets import IPV4, RST, SYN, frame, tcp, unreachable
from tests.unit.lab.engine.namespaces import Network, arrives, frames_of

if TYPE_CHECKING:
    from lab.engine.wire import Thing

PORT = 2762
MARK = 2
"""NFULA_MARK (linux/netfilter/nfnetlink_log.h)."""
PAYLOAD = b"whatever the sender likes"
FLOOD = 3000
SILENT = "table ip silent { chain out { type filter hook output priority 0; tcp flags rst drop; }; }"


class Trial:
    """The network, and what the firewall logs."""

    def __init__(self, task: Thing) -> None:
        """Join everybody, and load the firewall's rules."""
        self.network = Network(task["wanted"], task["state"])
        self.gateway: str = task["gateway"]
        self.addresses: dict[str, str] = task["addresses"]
        self.gateways: dict[str, str] = task["gateways"]
        ports = {host["name"]: host["ports"] for host in task["wanted"]["hosts"]}
        self.cables = {
            host: next(
                port["port"] for port in ports[self.gateway] if port["address"].split("/")[0] == self.gateways[host]
            )
            for host in self.gateways
        }
        self.network.run(
            self.gateway, "sh", "-c", "cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 0 >conf/all/rp_filter"
        )
        self.network.run(self.gateway, "nft", "--file", task["rules"])
        with self.network.inside(self.gateway):
            self.kernel = port_log.listen()

    def cable(self, host: str) -> socket.socket:
        """The fabric's end of the firewall's cable in a host's zone: what is sent here comes in at the firewall."""
        wire.go_to(self.network.here)
        return frames_of(self.cables[host])

    def framed(self, host: str, packet: bytes) -> bytes:
        """A packet as a host's card sends it to the firewall."""
        return frame(self.addresses[host], self.gateways[host], IPV4, packet)

    def logged(self) -> list[tuple[str, int]]:
        """Prefix and mark of what has been logged since the last look."""
        found = []
        while select.select([self.kernel], [], [], 0.3)[0]:
            with suppress(OSError):  # more than the kernel keeps
                for packet in port_log.messages(self.kernel.recv(65536)):
                    prefix = packet[port_log.PREFIX_OF].rstrip(b"\0").decode()
                    found.append((prefix.strip(), int.from_bytes(packet.get(MARK, b""), "big")))
        return found

    def connect(self, source: str, target: str, count: int = 1, timeout: float = 2) -> list[socket.socket | str]:
        """Open connections one after the other; each is a socket, or the word for what came instead."""
        made: list[socket.socket | str] = []
        for _ in range(count):
            with self.network.inside(source):
                connection = socket.socket()
            connection.settimeout(timeout)
            try:
                connection.connect((self.addresses[target], PORT))
                connection.send(b"?")
                connection.recv(1)
                made.append(connection)
            except OSError as error:
                made.append(type(error).__name__)
        return made

    def serve(self, host: str) -> socket.socket:
        """Listen on a host; connections are taken by the kernel, and answered by :meth:`answer`."""
        with self.network.inside(host):
            return socket.create_server(("", PORT), backlog=4096)


def answering(trial: Trial, host: str) -> None:
    """Answer every connection to a host with one octet, from a thread."""
    import threading  # noqa: PLC0415 # one scene in three has a server

    server = trial.serve(host)
    kept = []

    def answer() -> None:
        while True:
            connection, _ = server.accept()
            kept.append(connection)
            connection.send(b"!")

    threading.Thread(target=answer, daemon=True).start()


def forged(trial: Trial) -> dict[str, Any]:
    """A visitor sends in another zone's name: a packet for a declared flow, and a reset of a live connection."""
    answering(trial, "pacs1")
    connection = trial.connect("ct1", "pacs1")[0]
    assert isinstance(connection, socket.socket)
    here, there = trial.addresses["ct1"], trial.addresses["pacs1"]
    port = connection.getsockname()[1]
    cable, target, victim = trial.cable("guest1"), trial.network.card("pacs1"), trial.network.card("ct1")
    trial.logged()
    syn = tcp(here, there, (999, PORT), SYN)
    reset = tcp(there, here, (PORT, port), RST, 7)
    return {
        "syn": arrives(cable, target, trial.framed("guest1", syn), syn[20:28]),
        "reset": arrives(cable, victim, trial.framed("guest1", reset), reset[20:28]),
        "own": arrives(trial.cable("ct1"), target, trial.framed("ct1", syn), syn[20:28]),
        "logged": trial.logged(),
        "lives": still_lives(connection),
    }


def still_lives(connection: socket.socket) -> bool:
    """Whether a connection takes what is sent."""
    try:
        connection.send(b"?")
        time.sleep(0.1)
        connection.send(b"?")
    except OSError:
        return False
    return True


def errors(trial: Trial) -> dict[str, Any]:
    """An error message about a live connection with a payload of its sender's, from a visitor and from the peer."""
    answering(trial, "pacs1")
    connection = trial.connect("ct1", "pacs1")[0]
    assert isinstance(connection, socket.socket)
    here, there = trial.addresses["ct1"], trial.addresses["pacs1"]
    about = tcp(here, there, (connection.getsockname()[1], PORT), SYN)
    victim = trial.network.card("ct1")
    trial.logged()
    seen = {}
    for source in ("guest1", "pacs1"):
        message = unreachable(trial.addresses[source], here, about, PAYLOAD)
        seen[source] = arrives(trial.cable(source), victim, trial.framed(source, message), PAYLOAD)
    return {"arrived": seen, "logged": trial.logged()}


def neighbours_name(trial: Trial) -> dict[str, Any]:
    """A scanner asks for thousands of connections in its neighbour's name; the neighbour then connects.

    As if the answers went elsewhere, the neighbour does not refuse what it has not asked for.
    """
    answering(trial, "pacs1")
    trial.network.run("ct2", "nft", SILENT)
    cable = trial.cable("ct1")
    for number in range(FLOOD):
        packet = tcp(trial.addresses["ct2"], trial.addresses["pacs1"], (1024 + number, PORT), SYN)
        cable.send(trial.framed("ct1", packet))
    made = trial.connect("ct2", "pacs1", 20, timeout=0.5)
    return {"connected": sum(isinstance(entry, socket.socket) for entry in made), "logged": trial.logged()}


def too_many(trial: Trial) -> dict[str, Any]:
    """A scanner holds more connections than it may; its neighbour connects; then the scanner lets go."""
    answering(trial, "pacs1")
    first = trial.connect("ct1", "pacs1", 8, timeout=0.5)
    held = [entry for entry in first if isinstance(entry, socket.socket)]
    other = trial.connect("ct2", "pacs1")
    logged = trial.logged()
    for connection in held:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # ends with a reset
        connection.close()
    deadline = time.monotonic() + 20
    while isinstance((again := trial.connect("ct1", "pacs1", timeout=0.5))[0], str) and time.monotonic() < deadline:
        continue
    return {
        "held": len(held),
        "other": isinstance(other[0], socket.socket),
        "again": isinstance(again[0], socket.socket),
        "logged": logged,
    }


def flood(trial: Trial) -> dict[str, Any]:
    """A visitor floods the log, in its own name and in others'; then a scanner is refused fifty times."""
    cable, scanner = trial.cable("guest1"), trial.cable("ct1")
    dice = random.Random(1)  # noqa: S311 # the same flood each time
    target = trial.addresses["pacs1"]
    for number in range(2 * FLOOD):
        source = trial.addresses["guest1"] if number % 2 else f"10.0.20.{dice.randrange(1, 255)}"
        packet = tcp(source, target, (dice.randrange(1024, 65535), dice.randrange(1, 65535)), SYN)
        cable.send(trial.framed("guest1", packet))
    during = trial.logged()
    for port in range(50):
        scanner.send(trial.framed("ct1", tcp(trial.addresses["ct1"], target, (5000, 7000 + port), SYN)))
    after = trial.logged()
    counters = json.loads(trial.network.run(trial.gateway, "nft", "--json", "list", "counters"))["nftables"]
    return {
        "during": {prefix: sum(1 for entry in during if entry[0] == prefix) for prefix, _ in during},
        "after": sum(prefix == "ZDENY scanners>core" for prefix, _ in after),
        "counted": {entry["counter"]["name"]: entry["counter"]["packets"] for entry in counters if "counter" in entry},
    }


SCENES = {scene.__name__: scene for scene in (forged, errors, neighbours_name, too_many, flood)}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    made = Trial(asked)
    try:
        json.dump(SCENES[asked["scene"]](made), sys.stdout)
    finally:
        made.network.close()
