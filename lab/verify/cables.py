"""What containment must catch: a cable from a lab host to something beside the lab, past all that the lab judges.

Each is laid from the clone's fabric, which sees the processes of both ends, and only between containers: the machine's
own network is never touched. It goes with either of its ends.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from lab.engine import names
from lab.engine.execute import execute
from lab.errors import EngineError, PacslabError
from lab.verify.mutation import Mutation
from lab.verify.sink import PART

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab
    from lab.topology.site import Site

HERE, THERE, BITS = "203.0.113.1", "203.0.113.2", 30
"""The cable's two ends (RFC 5737: addresses for documentation, which nobody has)."""
CABLE = "sabotage0"
RELAY = "relay"
BRIDGE = "bridge"
"""Docker's own network, on which the machine has an address."""
SOON = 0.05
FORWARD = "nft 'table ip nat { chain out { type nat hook postrouting priority 100; masquerade; }; }' && exec sleep 600"


def mutations(site: Site) -> Iterator[Mutation]:
    """A host that is joined to the listener beside the lab, and one that is joined to a relay towards the machine."""
    host = next(name for name, entry in site.hosts.items() if not entry.gateway)
    beside, strangers = "containment.beside", "containment.strangers"
    joined = partial(_joined_to_the_sink, host)
    judged, hosts = ("containment.*",), (host,)
    yield Mutation("containment.machine", host, "", partial(_relayed, host), judged=judged, hosts=hosts)
    yield Mutation(beside, host, "", joined, also=(strangers,), judged=judged, hosts=hosts)
    yield Mutation(strangers, "", "", joined, also=(beside,), judged=judged, hosts=hosts)


def _relayed(host: str, lab: Lab) -> Callable[[], None]:
    """Join a host to a container on Docker's bridge that passes on what it is sent, as a machine with two cards."""
    docker = lab.docker
    relay = names.container(lab.name, RELAY)
    docker.remove(relay)  # of a run that was killed
    body = {
        "Image": docker.inspect(lab.container(host))["Image"],
        "Entrypoint": ["/bin/sh", "-c", FORWARD],
        "Cmd": [],
        "Labels": {names.LAB: lab.name, names.PART: RELAY},
        "StopSignal": "SIGKILL",
        "HostConfig": {
            "NetworkMode": BRIDGE,
            "CapDrop": ["ALL"],
            "CapAdd": ["NET_ADMIN"],
            "Sysctls": {"net.ipv4.ip_forward": "1"},
        },
    }

    def undo() -> None:
        docker.remove(relay)

    try:
        docker.create(relay, body)
        docker.start(relay)
        machine = docker.inspect(relay)["NetworkSettings"]["Networks"][BRIDGE]["Gateway"]
        _lay(lab, host, relay, machine)
    except PacslabError:
        undo()
        raise
    return undo


def _joined_to_the_sink(host: str, lab: Lab) -> Callable[[], None]:
    """Join a host to the check's own listener, each time that the check makes it."""
    sink = f"pacslab-{lab.name}-{PART}"
    over = threading.Event()

    def watch() -> None:
        joined = ""
        while not over.wait(SOON):
            with suppress(PacslabError, KeyError):  # it is not there yet, or goes away meanwhile
                found = lab.docker.inspect(sink)
                address = found["NetworkSettings"]["Networks"][sink]["IPAddress"]
                if found["Id"] != joined and found["State"]["Running"] and address:
                    _lay(lab, host, sink, address)
                    joined = found["Id"]

    watcher = threading.Thread(target=watch, name="sabotage-cable", daemon=True)
    watcher.start()

    def undo() -> None:
        over.set()
        watcher.join()

    return undo


def _lay(lab: Lab, host: str, container: str, towards: str) -> None:
    """Lay a cable between a host and a container, over which the host reaches an address.

    Raises:
        EngineError: it could not be laid.
    """
    here, there = (lab.docker.inspect(name)["State"]["Pid"] for name in (lab.container(host), container))
    script = (
        f"ip link add {CABLE} netns {here} type veth peer name {CABLE} netns {there}"
        f" && nsenter --target {there} --net ip address add {THERE}/{BITS} dev {CABLE}"
        f" && nsenter --target {there} --net ip link set {CABLE} up"
        f" && nsenter --target {here} --net ip address add {HERE}/{BITS} dev {CABLE}"
        f" && nsenter --target {here} --net ip link set {CABLE} up"
        f" && nsenter --target {here} --net ip route add {towards}/32 via {THERE}"
    )
    done = execute(lab.docker, names.fabric(lab.name), ["sh", "-c", script])
    if done.code != 0:
        raise EngineError(f"No cable from {host} to {container}: {done.stderr.strip()}", remedy="See `ip link` there.")
