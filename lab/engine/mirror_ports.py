"""Runs inside the fabric after ``wire.py``: gives hosts that watch a copy of what others send (Python's own library).

Every packet is sent at exactly one port, so each is copied once, traffic within a zone included; of the firewall, which
brings other zones' packets too, only what it says itself. A mirror's port is in no bridge and has no address, and
whatever comes from its host is dropped there: who watches cannot send. Copies are made with the classifier u32 and the
action mirred, as few kernels lack them (tc-u32(8), tc-mirred(8)).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from lab.engine import wire

if TYPE_CHECKING:
    from lab.engine.wire import Thing

TABLE = "mirrors"
"""What the kernel drops at the ports of mirrors, in a table of its own."""
DROPS = re.compile(r'hook ingress devices?(?: = \{)? "?([\w-]+)"?(?: \})? priority filter; policy drop;')
KEPT = "mirrors"
"""Under which name the fabric keeps that it has mirrors, or had some."""
EVERY, SOURCE = 0, 12
"""Where u32 looks: anywhere, or at the source address of an IPv4 packet (RFC 791 3.1)."""

Tap = tuple[str, int, int, int]
"""A copy of what a port takes in: to which mirror, and the value, mask and place that u32 compares."""


def tc(batch: list[str], *options: str) -> str:
    """Run one ``tc`` for a list of commands in the current namespace."""
    done = subprocess.run(
        ["tc", *options, "-batch", "-"], input="\n".join(batch), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"tc: {done.stderr.strip()} in: {'; '.join(batch)}")
    return done.stdout


def wanted_taps(mirrors: list[Thing]) -> dict[str, set[Tap]]:
    """What is to be copied, by port."""
    found: dict[str, set[Tap]] = {}
    for mirror in mirrors:
        for tap in mirror["taps"]:
            own = tap["source"]
            match = (int(IPv4Address(own)), 0xFFFFFFFF, SOURCE) if own else (0, 0, EVERY)
            found.setdefault(tap["port"], set()).add((mirror["port"], *match))
    return found


def present_taps() -> dict[str, set[Tap]]:
    """What is copied now, by port; a port with none has none."""
    queues = [queue for document in wire.documents(tc(["qdisc show"], "-j")) for queue in document]
    ports = [queue["dev"] for queue in queues if queue["kind"] == "ingress"]
    shown = wire.documents(tc([f"filter show dev {port} parent ffff:" for port in ports], "-j")) if ports else []
    return {
        port: {tap for entry in entries for tap in taps_of(entry)} for port, entries in zip(ports, shown, strict=True)
    }


def taps_of(entry: Thing) -> list[Tap]:
    """What a filter copies, as ``tc -j filter show`` tells of it; a mirror that is gone is called ``*``."""
    options = entry.get("options", {})
    match = options.get("match", {})
    place = (int(match.get("value", "0"), 16), int(match.get("mask", "0"), 16), int(match.get("off", 0)))
    return [(action["to_dev"], *place) for action in options.get("actions", []) if action.get("kind") == "mirred"]


def tap_commands(port: str, taps: set[Tap]) -> list[str]:
    """Commands that copy from a port which copies nothing yet; to each mirror the same, since the port is the same."""
    _, value, mask, place = min(taps)
    copies = " ".join(f"action mirred egress mirror dev {mirror}" for mirror, *_ in sorted(taps))
    packets = f"protocol {'ip' if mask else 'all'} u32 match u32 {value:#x} {mask:#x} at {place}"
    return [f"qdisc add dev {port} handle ffff: ingress", f"filter add dev {port} parent ffff: {packets} {copies}"]


def refusals(mirrors: list[Thing]) -> str:
    """What drops all that comes from hosts which watch, as nft(8) reads it."""
    ports = [mirror["port"] for mirror in mirrors]
    chains = [
        line
        for port in ports
        for line in (
            f"    chain {port} {{",
            f'        type filter hook ingress device "{port}" priority 0; policy drop;',
            "        counter",
            "    }",
        )
    ]
    head = [f"table netdev {TABLE}", f"delete table netdev {TABLE}", f"table netdev {TABLE} {{"]
    return "\n".join([*head, *chains, "}", ""])


def refusing() -> set[str]:
    """The ports at which all is dropped, as the kernel has it."""
    return set(DROPS.findall(wire.nft("list", "ruleset", "netdev")))


class Mirrors:
    """The difference between the mirrors that are wanted and those that are there."""

    def __init__(self, wanted: list[Thing]) -> None:
        """Look at the fabric itself."""
        self.changes: list[str] = []
        self.problems: list[str] = []
        self.wanted = wanted
        self.links: dict[str, Thing] = {link["ifname"]: link for link in json.loads(wire.ip(["link show"], "-j", "-d"))}

    def join(self, here: int, *, apply: bool) -> None:
        """Join hosts to their mirrors, then have what others send copied there."""
        running = [mirror for mirror in self.wanted if self._join_host(mirror, here, apply=apply)]
        missing = {mirror["port"] for mirror in running} - refusing()
        if missing:
            self.changes.append(f"{', '.join(sorted(missing))}: all that comes from there is dropped")
        if apply and (missing or not running):
            wire.nft("--file", "-", text=refusals(running))
        commands = self._tap(wanted_taps(running), present_taps())
        if apply and commands:
            tc(commands)

    def _join_host(self, mirror: Thing, here: int, *, apply: bool) -> bool:
        """Give a host its mirror's interface; False when its container has ended."""
        if not wire.enter(mirror["pid"]):
            self.problems.append(f"{mirror['host']}: its container ended")
            return False
        inner = wire.look_at_host()[0].get(mirror["interface"])
        outer = self.links.get(mirror["port"])
        inside, outside = [], []
        if not (outer and inner and wire.joined(mirror, outer, inner)):
            if inner:  # its other end lies in a fabric that is gone
                inside.append(f"link del {mirror['interface']}")
            elif outer:
                outside.append(f"link del {mirror['port']}")
            peer = f"peer name {mirror['interface']} address {mirror['mac']} netns {mirror['pid']}"
            outside += [f"link add {mirror['port']} type veth {peer}", f"link set {mirror['port']} arp off up"]
            self.changes.append(f"{mirror['host']} {mirror['interface']}: joined to {mirror['port']}")
            inner = None
        elif outer.get("master") or "UP" not in outer["flags"]:
            outside.append(f"link set {mirror['port']} nomaster arp off up")
            self.changes.append(f"{mirror['port']}: in no bridge, and up")
        after = self._quiet(mirror, inner)
        if apply:
            run_ip(inside)
            wire.go_to(here)
            run_ip(outside)
            wire.enter(mirror["pid"])
            run_ip(after)
        wire.go_to(here)
        return True

    def _quiet(self, mirror: Thing, inner: Thing | None) -> list[str]:
        """Commands for an interface that listens and says nothing; all of them when it is new (None)."""
        name, commands = mirror["interface"], []
        if inner and inner.get("addr_info"):
            commands.append(f"addr flush dev {name}")
            self.changes.append(f"{mirror['host']} {name}: no address")
        if not inner or not {"UP", "NOARP"} <= set(inner["flags"]):
            commands.append(f"link set {name} arp off up")
            self.changes.append(f"{mirror['host']} {name}: up, and silent")
        return commands

    def _tap(self, wanted: dict[str, set[Tap]], there: dict[str, set[Tap]]) -> list[str]:
        """Commands that have exactly this copied; ports of hosts that do not run are left out."""
        links = {link["ifname"] for link in json.loads(wire.ip(["link show"], "-j"))}
        different = [
            port for port in sorted(wanted.keys() & links | there.keys()) if wanted.get(port, set()) != there.get(port)
        ]
        commands = []
        for port in different:
            commands += [f"qdisc del dev {port} ingress"] if port in there else []
            commands += tap_commands(port, wanted[port]) if port in wanted else []
        if different:
            self.changes.append(f"mirrors: what comes in at {', '.join(different)} is copied as described")
        return commands


def run_ip(commands: list[str]) -> None:
    """Run commands of ip(8), if any, in the current namespace."""
    if commands:
        wire.ip(commands)


def join(wanted: Thing, here: int, *, apply: bool) -> wire.Work:
    """Join hosts to their zones, then mirrors to hosts; a fabric that has no mirrors, and had none, is not asked."""
    work = wire.join(wanted, here, apply=apply)
    if wanted["mirrors"] or wire.kept(KEPT):
        mirrors = Mirrors(wanted["mirrors"])
        mirrors.join(here, apply=apply)
        work.changes += mirrors.changes
        work.problems += mirrors.problems
        if apply:
            wire.keep(KEPT, "".join(f"{mirror['port']}\n" for mirror in wanted["mirrors"]))
    return work


def main() -> None:
    """Do it, in the network that this process is in."""
    wanted: dict[str, Any] = json.load(sys.stdin)
    work = join(wanted, os.open("/proc/self/ns/net", os.O_RDONLY), apply=sys.argv[1] == "apply")
    json.dump({"changes": work.changes, "problems": work.problems}, sys.stdout)


if __name__ == "__main__":
    main()
