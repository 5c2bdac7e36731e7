"""Rules about mirrors: who gets a copy of other zones' frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.problems import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft


def mirrored_zones_exist(draft: Draft) -> Iterator[Problem]:
    """What is watched are zones of the site."""
    for name, host in draft.hosts.items():
        for number, zone in enumerate(host.mirror if isinstance(host.mirror, list) else ()):
            if zone not in draft.zone_names:
                yield draft.source.problem(
                    ("hosts", name, "mirror", number),
                    f"{name} watches zone {zone}, which does not exist.",
                    choose(zone, draft.zone_names, "Zones"),
                )


def nobody_watches_where_it_stands(draft: Draft) -> Iterator[Problem]:
    """Who watches a zone has no address in it: nobody there reaches the witness, nor learns that there is one."""
    for name, host in draft.hosts.items():
        if isinstance(host.mirror, list) and host.zone in host.mirror:
            yield draft.source.problem(
                ("hosts", name, "mirror", host.mirror.index(host.zone)),
                f"{name} watches zone {host.zone}, in which it has an address itself.",
                f"Let it stand in a zone that it does not watch, or take {host.zone} out of its mirror.",
            )
        if host.mirror is not None and host.gateway:
            yield draft.source.problem(
                ("hosts", name, "mirror"),
                f"{name} is the gateway, which has an address in every zone that it would watch.",
                "Give the mirror to a host that stands in a zone of its own.",
            )


def who_needs_a_mirror_has_one(draft: Draft) -> Iterator[Problem]:
    """A mirror and a role that does something with it come together."""
    for name, host in draft.hosts.items():
        needing = [role for role in host.roles if role in draft.catalog and draft.catalog[role].mirror is not None]
        if needing and host.mirror is None:
            yield draft.source.problem(
                draft.role_place(name, needing[0]),
                f"{name} has role {needing[0]} and no mirror: {draft.catalog[needing[0]].mirror}.",
                f"Write mirror: all at {name}, or the zones that it shall watch; or remove the role.",
            )
        if host.mirror is not None and not needing and not host.gateway and draft.roles_known(name):
            yield draft.source.problem(
                ("hosts", name, "mirror"),
                f"{name} has a mirror, and none of its roles does anything with one.",
                "Remove mirror, or give the host a role that says what it does with it.",
            )
