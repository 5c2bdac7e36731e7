"""Rules about foreign devices: machines on which nothing of this project is installed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft

OF_AN_IMAGE = ("command", "environment", "bundle")


def settings_are_of_an_image(draft: Draft) -> Iterator[Problem]:
    """What is said of a device's container needs an image to say it of."""
    for name, host in draft.hosts.items():
        if host.device is None or host.device.image is not None:
            continue
        for key in OF_AN_IMAGE:
            if getattr(host.device, key):
                yield draft.source.problem(
                    ("hosts", name, "device", key),
                    f"Device {name} has {key} and no image: it is a place in the network, where nothing is started.",
                    f"Name its image, or remove {key}; 'pacslab as {name} -- COMMAND' starts a program there.",
                )


def devices_are_no_gateway(draft: Draft) -> Iterator[Problem]:
    """The firewall judges every flow of the site, so it is ours."""
    for name, host in draft.hosts.items():
        if host.device is not None and host.gateway:
            yield draft.source.problem(
                ("hosts", name, "device"),
                f"{name} is the gateway, which cannot be a foreign device: nobody would judge between the zones.",
                "Remove device, or let another host be the gateway.",
            )


def devices_stand_apart(draft: Draft) -> Iterator[Problem]:
    """A device has no packet filter of ours: in a zone with neighbours only isolated ports keep these from it."""
    for name, host in draft.hosts.items():
        zone = draft.zones.get(host.zone)
        if not host.foreign or host.gateway or zone is None or zone.isolated:
            continue
        neighbours = [other for other, entry in draft.hosts.items() if entry.zone == host.zone and other != name]
        neighbours = [other for other in neighbours if not draft.hosts[other].gateway]
        if neighbours:
            yield draft.source.problem(
                ("hosts", name, "zone"),
                f"Device {name} stands in zone {host.zone} with {', '.join(neighbours)}, and nothing judges what they "
                "send each other: a device has no packet filter of ours.",
                f"Write isolated: true at zone {host.zone} (line {draft.source.line(('zones', host.zone))}), "
                f"or give {name} a zone of its own.",
            )


def devices_offer_nothing_that_the_lab_reads(draft: Draft) -> Iterator[Problem]:
    """The lab itself looks into the hosts that collect logs and publish certificate status."""
    for name, host in draft.hosts.items():
        for role, service, entry in draft.offers(name) if host.foreign else ():
            if entry.provides not in {None, "pages"}:  # those are opened from outside, as by anybody
                yield draft.source.problem(
                    ("hosts", name, "device"),
                    f"Device {name} has role {role}, whose service {service} the lab itself looks for, "
                    "and nobody can look into a device.",
                    f"Give the role to a host of ours, or remove device from {name}.",
                )
