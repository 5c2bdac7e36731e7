"""Runs inside the fabric: looks at a lab's network and adds what is missing (Python's own library only).

Started as ``python3 -c SOURCE look|apply`` with the wanted network on standard input; prints
``{"changes": [text], "problems": [text]}``. What is as it should be is not touched: a second run changes nothing.
A host's interface is made by the fabric inside the host's network namespace: hosts need no tool for it. The fabric's
own packet filter is loaded before any host is joined.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

Thing = dict[str, Any]
STATE = "/run/pacslab"
"""What the fabric keeps of itself: the filter that was loaded, and what its log needs to know."""


def ip(batch: list[str], *options: str) -> str:
    """Run one ``ip`` for a list of commands in the current namespace."""
    done = subprocess.run(
        ["ip", *options, "-batch", "-"], input="\n".join(batch), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"ip: {done.stderr.strip()} in: {'; '.join(batch)}")
    return done.stdout


def documents(text: str) -> list[list[Thing]]:
    """Split the JSON that ``ip -j -batch`` prints: one document for each command that had something to say."""
    decoder, found, at = json.JSONDecoder(), [], 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        document, at = decoder.raw_decode(text, at)
        found.append(document)
    return found


def go_to(handle: int) -> None:
    """Enter the network namespace that an open file stands for."""
    os.setns(handle, os.CLONE_NEWNET)  # type: ignore[attr-defined] # Python 3.12 on: the fabric's is newer than ours


def enter(pid: int) -> bool:
    """Enter the network namespace of a process; False when it has ended."""
    try:
        handle = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    except FileNotFoundError:
        return False
    go_to(handle)
    os.close(handle)
    return True


def nft(*words: str, text: str | None = None) -> str:
    """Run ``nft`` in the current namespace."""
    done = subprocess.run(["nft", *words], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"nft: {done.stderr.strip()} in: {' '.join(words)}")
    return done.stdout


def look_at_host() -> tuple[dict[str, Thing], str | None, set[tuple[str, str, str]]]:
    """Interfaces by name, the default gateway, and the neighbours that are set for good, of the current namespace."""
    found = documents(ip(["addr show", "route show default", "neigh show nud permanent"], "-j"))
    entries = [entry for document in found for entry in document if entry]
    links = {entry["ifname"]: entry for entry in entries if "ifname" in entry}
    routes = [entry for entry in entries if entry.get("dst") == "default"]
    known = {(entry["dev"], entry["dst"], entry["lladdr"]) for entry in entries if "lladdr" in entry}
    return links, routes[0].get("gateway") if routes else None, known


def is_new(pid: int) -> bool:
    """Whether a host has nothing but its loopback yet: then there is nothing to look at, and no process to start."""
    with open(f"/proc/{pid}/net/dev", encoding="ascii") as table:  # noqa: PTH123 # pathlib is slow to import
        names = [line.partition(":")[0].strip() for line in table.readlines()[2:]]
    return names == ["lo"]


def joined(port: Thing, outer: Thing, inner: Thing) -> bool:
    """Whether the two ends are one veth pair: each names the other's index."""
    return bool(
        outer.get("link_index") == inner["ifindex"]
        and inner.get("link_index") == outer["ifindex"]
        and inner.get("address") == port["mac"]
    )


class Work:
    """The difference between what is wanted and what is there, collected host by host."""

    def __init__(self, wanted: Thing) -> None:
        """Look at the fabric itself: bridges, and links of hosts that the description no longer holds."""
        self.changes: list[str] = []
        self.problems: list[str] = []
        self.filter = ""
        self.outside: list[str] = []
        self.clear: list[tuple[int, list[str]]] = []
        self.inside: list[tuple[int, list[str]]] = []
        self.links: dict[str, Thing] = {link["ifname"]: link for link in json.loads(ip(["link show"], "-j", "-d"))}
        for bridge in wanted["bridges"]:
            if bridge not in self.links:
                self.outside += [f"link add {bridge} type bridge", f"link set {bridge} up"]
                self.changes.append(f"{bridge}: made")
        ports = {port["port"] for host in wanted["hosts"] for port in host["ports"]}
        for name in self.links.keys() - {*wanted["bridges"], *wanted["ignored"], *ports}:
            if self.links[name].get("linkinfo", {}).get("info_kind") in ("veth", "bridge"):
                self.outside.append(f"link del {name}")
                self.changes.append(f"{name}: removed")

    def add_host(self, host: Thing) -> None:
        """Look at a host, and collect what it lacks."""
        if not enter(host["pid"]):
            self.problems.append(f"{host['name']}: its container ended")
            return
        there, gateway, known = ({}, None, set()) if is_new(host["pid"]) else look_at_host()
        commands = []
        for port in host["ports"]:
            link = self.add_link(host, port, there.get(port["interface"]))
            commands += self.inner_commands(host, port, link)
            commands += self.neighbour_commands(host, port, known if link else set())
        rewired = any(command.startswith("link set") for command in commands)
        if host["gateway"] and (gateway != host["gateway"] or rewired):
            commands.append(f"route replace default via {host['gateway']}")
            self.changes.append(f"{host['name']}: default route via {host['gateway']}")
        if commands:
            self.inside.append((host["pid"], commands))

    def add_link(self, host: Thing, port: Thing, inner: Thing | None) -> Thing | None:
        """Collect what the link lacks; the answer is the host's end where it can stay."""
        outer, pid = self.links.get(port["port"]), host["pid"]
        if outer and inner and joined(port, outer, inner):
            self.outer_commands(port, outer)
            return inner
        if outer:
            self.outside.append(f"link del {port['port']}")
        elif inner:  # its other end lies in a fabric that is gone
            self.clear.append((pid, [f"link del {port['interface']}"]))
        self.outside += [
            f"link add {port['port']} type veth peer name {port['interface']} address {port['mac']} netns {pid}",
            f"link set {port['port']} master {port['bridge']} up",
        ]
        if port["isolated"]:
            self.outside.append(f"link set {port['port']} type bridge_slave isolated on")
        self.changes.append(f"{host['name']} {port['interface']}: joined to {port['bridge']}")
        return None

    def outer_commands(self, port: Thing, outer: Thing) -> None:
        """Collect what the fabric's end of a link that is there lacks."""
        if outer.get("master") != port["bridge"] or "UP" not in outer["flags"]:
            self.outside.append(f"link set {port['port']} master {port['bridge']} up")
            self.changes.append(f"{port['port']}: joined to {port['bridge']}")
        slave = outer.get("linkinfo", {}).get("info_slave_data", {})
        if bool(slave.get("isolated")) != port["isolated"]:
            wanted = "on" if port["isolated"] else "off"
            self.outside.append(f"link set {port['port']} type bridge_slave isolated {wanted}")
            self.changes.append(f"{port['port']}: isolated {wanted}")

    def inner_commands(self, host: Thing, port: Thing, link: Thing | None) -> list[str]:
        """Commands for what the host's end of a link lacks; all of it when the link is new (None)."""
        name, commands = port["interface"], []
        held = {f"{address['local']}/{address['prefixlen']}" for address in link["addr_info"]} if link else set()
        if port["address"] not in held:
            commands.append(f"addr add {port['address']} brd + dev {name}")
            self.changes.append(f"{host['name']} {name}: address {port['address']}")
        if not link or "UP" not in link["flags"]:
            commands.append(f"link set {name} up")
            self.changes.append(f"{host['name']} {name}: up")
        return commands

    def neighbour_commands(self, host: Thing, port: Thing, known: set[tuple[str, str, str]]) -> list[str]:
        """Commands for the neighbours that a host does not ask for by ARP, and so cannot be told wrong."""
        name = port["interface"]
        missing = [(address, mac) for address, mac in port["neighbours"].items() if (name, address, mac) not in known]
        if missing:
            self.changes.append(f"{host['name']} {name}: neighbours {', '.join(address for address, _ in missing)}")
        return [f"neigh replace {address} lladdr {mac} dev {name} nud permanent" for address, mac in missing]

    def look_at_filter(self, text: str) -> None:
        """Look whether the ports' filter is the one that is wanted, and still what was loaded."""
        self.filter = text if text != kept("filter") or in_force() != kept("loaded") else ""
        if self.filter:
            self.changes.append("ports: filter loaded")

    def apply(self, here: int) -> None:
        """Load the filter, clear what is in the way inside hosts, then one batch in the fabric, then one in each host.

        A host whose container ends meanwhile is left out; the next look finds it.
        """
        if self.filter:
            nft("--file", "-", text=self.filter)
            keep("filter", self.filter)
            keep("loaded", in_force())
        for pid, commands in self.clear:
            if enter(pid):
                ip(commands)
        go_to(here)
        if self.outside:
            ip(self.outside)
        for pid, commands in self.inside:
            if enter(pid):
                ip(commands)
        go_to(here)


def kept(name: str) -> str:
    """What the fabric keeps under a name; nothing when it is new."""
    return read(f"{STATE}/{name}")


def keep(name: str, text: str) -> None:
    """Keep something in the fabric, whole or not at all."""
    os.makedirs(STATE, exist_ok=True)  # noqa: PTH103 # pathlib is slow to import
    with open(f"{STATE}/{name}.new", "w", encoding="utf-8") as draft:  # noqa: PTH123 # likewise
        draft.write(text)
    os.replace(f"{STATE}/{name}.new", f"{STATE}/{name}")  # noqa: PTH105 # likewise


def read(path: str) -> str:
    """A file's text; nothing when there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123 # pathlib is slow to import
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def in_force() -> str:
    """The ports' filter as the kernel has it, without what it has counted; nothing when there is none."""
    return nft("--stateless", "list", "ruleset", "bridge")


def started(pid: int) -> str:
    """When a process was started (proc(5)); nothing when it has ended."""
    return "".join(read(f"/proc/{pid}/stat").rpartition(")")[2].split()[19:20])


def facts(wanted: Thing) -> str:
    """What the fabric's log has to know: whose the ports are, and where lines go."""
    collector = wanted["collector"]
    if collector:
        collector["started"] = started(collector["pid"])
    return json.dumps({"collector": collector, "ports": wanted["ports"]})


def join(wanted: Thing, here: int, *, apply: bool) -> Work:
    """Compare what is wanted with what is there; add the difference when told to apply."""
    work = Work(wanted)
    work.look_at_filter(wanted["filter"])
    for host in wanted["hosts"]:
        work.add_host(host)
    go_to(here)
    if apply:
        work.apply(here)
        keep("fabric.json", facts(wanted))
    return work


def main() -> None:
    """Do it, in the network that this process is in."""
    wanted = json.load(sys.stdin)
    here = os.open("/proc/self/ns/net", os.O_RDONLY)
    work = join(wanted, here, apply=sys.argv[1] == "apply")
    json.dump({"changes": work.changes, "problems": work.problems}, sys.stdout)


if __name__ == "__main__":
    main()
