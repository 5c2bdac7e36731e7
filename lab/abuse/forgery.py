"""Attempts with frames that claim to come from somebody else, and how the network's own controls are switched off."""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.abuse.attempt import Tried
from lab.abuse.failure import WeakeningError
from lab.abuse.weakening import must, undoing
from lab.engine import names
from lab.engine.execute import execute
from lab.engine.fabric import gateway_cable
from lab.engine.forging import Forged, arrived
from lab.engine.packets import ARP, IPV4, arp, frame, mac
from lab.engine.port_filter import TABLE
from lab.engine.wire import STATE
from lab.topology.fabric_log import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.abuse.attempt import Parties
    from lab.abuse.scene import Scene
    from lab.engine.lab import Lab
    from lab.topology.site import Site

FABRIC = SOURCE
"""Whose log has what the network's ports refuse."""


def address(site: Site, host: str) -> str:
    """A host's own address."""
    return str(site.hosts[host].address)


def gateway_of(site: Site, host: str) -> str:
    """The address of the firewall that a host sees."""
    return str(site.topology.zones[site.hosts[host].zone].gateway)


def put(scene: Scene, packet: bytes, victim: str, mark: bytes, *, past_fabric: bool = False) -> Tried:
    """Send a packet from the source's card, or from the far end of the firewall's cable in its zone."""
    site, source = scene.site, scene.parties.source
    octets = frame(address(site, source), gateway_of(site, source), IPV4, packet)
    cable = gateway_cable(site, site.hosts[source].zone)
    place = ("", cable) if past_fabric else (source, site.interfaces(source)[0].name)
    reached = arrived(scene.lab, [Forged(*place, octets, victim, mark)])[0]
    return Tried(not reached, f"it {'arrived at' if reached else 'did not arrive at'} {victim}", {"arrived": reached})


def announce(scene: Scene, other: str) -> Tried:
    """Tell the firewall by ARP that another host's address is at the source's card (RFC 826)."""
    site, source = scene.site, scene.parties.source
    here, there, gateway = address(site, source), address(site, other), gateway_of(site, source)
    octets = frame(here, gateway, ARP, arp(here, there, gateway, gateway, request=True))
    card = site.interfaces(source)[0].name
    arrived(scene.lab, [Forged(source, card, octets, site.gateway, secrets.token_bytes(8))] * 3)
    believed = scene.hospital.run(site.gateway, ["ip", "neigh", "show", "to", there]).stdout.lower()
    fooled = mac(here).hex(":") in believed
    words = f"the firewall {'believes' if fooled else 'does not believe'} that {other} is at {source}"
    return Tried(not fooled, words, {"believed": believed.strip()})


@dataclass(frozen=True)
class PortsOpened:
    """The fabric takes every frame at every port.

    Attributes:
        text: What that switches off.
    """

    text: str = "the ports of the lab's network take every frame"

    def host(self, site: Site, parties: Parties) -> str:
        """Where it is switched off: for the source, at its port."""
        del site
        return parties.source

    @contextmanager
    def applied(self, lab: Lab, parties: Parties) -> Iterator[None]:
        """Put a rule in front, and load the fabric's own filter, which it keeps, at the end.

        Raises:
            WeakeningError: the filter did not change, or is not what it was.
        """
        del parties

        def nft(*argv: str) -> None:
            done = execute(lab.docker, names.fabric(lab.name), ["nft", *argv])
            if done.code != 0:
                raise WeakeningError(f"The fabric's filter did not change: {done.stderr.strip()}", remedy="See it.")

        with undoing(lambda: nft("--file", f"{STATE}/filter")):
            nft("insert", "rule", "bridge", TABLE, "enter", "accept")
            yield


@dataclass(frozen=True)
class NeighbourAsked:
    """The firewall asks for the other host by ARP, and takes what it is told.

    Attributes:
        text: What that switches off.
    """

    text: str = "the firewall learns its neighbours by ARP"

    def host(self, site: Site, parties: Parties) -> str:
        """Where it is switched off."""
        del parties
        return site.gateway

    @contextmanager
    def applied(self, lab: Lab, parties: Parties) -> Iterator[None]:
        """Make the entry one that may change, and set it for good at the end.

        Raises:
            WeakeningError: the firewall did not take it.
        """
        site = lab.site
        there = address(site, parties.other)
        interface = f"vlan{site.topology.zones[site.hosts[parties.other].zone].vlan}"
        entry = [there, "lladdr", mac(there).hex(":"), "dev", interface, "nud"]

        def set_to(state: str) -> None:
            must(lab, site.gateway, ["ip", "neigh", "replace", *entry, state])

        with undoing(lambda: set_to("permanent")):
            set_to("stale")
            yield
