"""Rules about networks and addresses."""

from __future__ import annotations

from itertools import combinations, islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv4Address, IPv4Network

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft

LARGEST_PREFIX = 30
"""The gateway and one host, between the network's and the broadcast address."""


def vlans_differ(draft: Draft) -> Iterator[Problem]:
    """Two zones with one VLAN number would be one layer 2 network."""
    for first, second in combinations(draft.zones, 2):
        if draft.zones[first].vlan == draft.zones[second].vlan:
            number = draft.zones[second].vlan
            line = draft.source.line(("zones", first, "vlan"))
            yield draft.source.problem(
                ("zones", second, "vlan"),
                f"Zone {second} has VLAN {number}, which zone {first} has too (line {line}).",
                f"Give it a number of its own, such as {_free({zone.vlan for zone in draft.zones.values()}, number)}.",
            )


def subnets_are_usable(draft: Draft) -> Iterator[Problem]:
    """A zone needs room for the gateway and a host, in a range that routers forward."""
    for name, zone in draft.zones.items():
        where = ("zones", name, "subnet")
        if zone.subnet.prefixlen > LARGEST_PREFIX:
            yield draft.source.problem(
                where,
                f"Subnet {zone.subnet} of zone {name} has no room for the gateway and a host.",
                f"Write a larger network: /{LARGEST_PREFIX} at most.",
            )
        if not _routable(zone.subnet):
            yield draft.source.problem(
                where,
                f"Subnet {zone.subnet} of zone {name} cannot be routed between hosts.",
                "Use a private range: 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918).",
            )


def subnets_do_not_overlap(draft: Draft) -> Iterator[Problem]:
    """An address must belong to one zone only."""
    for first, second in combinations(draft.zones, 2):
        if draft.zones[first].subnet.overlaps(draft.zones[second].subnet):
            line = draft.source.line(("zones", first, "subnet"))
            yield draft.source.problem(
                ("zones", second, "subnet"),
                f"Subnet {draft.zones[second].subnet} of zone {second} overlaps {draft.zones[first].subnet} "
                f"of zone {first} (line {line}).",
                "Give each zone a network of its own.",
            )


def hosts_stand_in_their_zone(draft: Draft) -> Iterator[Problem]:
    """A host's address is one of its zone's; only the gateway host has the gateway's."""
    gateway_known = any(host.gateway for host in draft.hosts.values())  # else that is the mistake, and reported
    for name, host in draft.hosts.items():
        zone = draft.zones.get(host.zone)
        if zone is None or zone.subnet.prefixlen > LARGEST_PREFIX:  # reported by another rule
            continue
        where = ("hosts", name, "address")
        first, last = zone.subnet[2], zone.subnet[-2]
        spare = f"Write an address from {first} to {last}, such as {_spare(draft, host.zone)}."
        if host.address not in zone.subnet:
            fitting = [other for other, entry in draft.zones.items() if host.address in entry.subnet]
            hint = f" Or put {name} into zone {fitting[0]}, which holds that address." if fitting else ""
            yield draft.source.problem(
                where, f"Address {host.address} of {name} is not in {zone.subnet} of zone {host.zone}.", spare + hint
            )
        elif host.address in {zone.subnet.network_address, zone.subnet.broadcast_address}:
            kind = "network" if host.address == zone.subnet.network_address else "broadcast"
            yield draft.source.problem(
                where, f"Address {host.address} of {name} is the {kind} address of {zone.subnet}.", spare
            )
        elif host.gateway and host.address != zone.gateway:
            yield draft.source.problem(
                where,
                f"{name} is the gateway, but {host.address} is not the gateway's address of zone {host.zone}.",
                f"Write {zone.gateway}, the zone's first address.",
            )
        elif gateway_known and not host.gateway and host.address == zone.gateway:
            yield draft.source.problem(
                where, f"Address {host.address} of {name} is the gateway's address of zone {host.zone}.", spare
            )


def addresses_differ(draft: Draft) -> Iterator[Problem]:
    """Two hosts with one address would answer for each other."""
    for first, second in combinations(draft.hosts, 2):
        if draft.hosts[first].address == draft.hosts[second].address:
            line = draft.source.line(("hosts", first, "address"))
            zone = draft.hosts[second].zone
            spare = _spare(draft, zone) if zone in draft.zones else None
            yield draft.source.problem(
                ("hosts", second, "address"),
                f"Address {draft.hosts[second].address} of {second} is taken by {first} (line {line}).",
                f"Give it one of its own{f', such as {spare}' if spare else ''}.",
            )


def _routable(subnet: IPv4Network) -> bool:
    kinds = (subnet.is_loopback, subnet.is_multicast, subnet.is_link_local, subnet.is_reserved, subnet.is_unspecified)
    return not any(kinds) and int(subnet.network_address) >> 24 != 0  # 0.0.0.0/8: RFC 6890 2.2.2


def _spare(draft: Draft, zone: str) -> IPv4Address:
    """Return an address of a zone that no host has, from .11 upwards where there is room."""
    taken = {host.address for host in draft.hosts.values()}
    hosts = list(islice(draft.zones[zone].subnet.hosts(), 1, 256))
    return next((free for free in [*hosts[9:], *hosts] if free not in taken), hosts[0])


def _free(taken: set[int], start: int) -> int:
    numbers: Iterable[int] = (*range(start, 4095), *range(1, start))
    return next(number for number in numbers if number not in taken)
