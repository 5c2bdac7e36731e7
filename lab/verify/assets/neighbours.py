"""Passive discovery at the firewall: whom it knows as a neighbour in each zone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.engine.fabric import mac_address
from lab.errors import EngineError
from lab.results.model import Promise
from lab.verify.assets.finding import CHANGED, UNDECLARED, as_described, otherwise

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lab.results.model import Result
    from lab.topology.site import Interface, Site
    from lab.verify.check import Context

NEIGHBOURS = Promise(
    "assets.neighbours", "The firewall knows nobody in a zone but its described hosts, each by its own card."
)
REMEDY = "Look who it is (`pacslab exec {gateway} -- ip neigh`), and remove the entry with `ip neigh del`."
UNANSWERED = {"FAILED", "INCOMPLETE"}
"""States of an address that somebody asked for and nobody has (ip-neighbour(8))."""


def judge_neighbours(context: Context) -> Iterator[Result]:
    """Compare the firewall's neighbours with the description: one result a zone.

    Raises:
        EngineError: the firewall does not answer.
    """
    site = context.lab.site
    if not context.wants(NEIGHBOURS) or not context.wants_host(site.gateway):
        return
    done = context.lab.run(site.gateway, ["ip", "-j", "-4", "neigh", "show"])
    if done.code:
        raise EngineError(
            f"{site.gateway} tells of no neighbours: {done.stderr.strip()}", remedy="See `ip neigh` there."
        )
    entries = done.read(list[dict[str, Any]], site.gateway) if done.stdout.strip() else []
    for interface in site.interfaces(site.gateway):
        yield judge_zone(site, interface, entries)


def judge_zone(site: Site, interface: Interface, entries: Sequence[Mapping[str, Any]]) -> Result:
    """Whether all whom the firewall knows in a zone are hosts of that zone, with their own cards."""
    known = {
        entry["dst"]: entry["lladdr"]
        for entry in entries
        if entry["dev"] == interface.name and "lladdr" in entry and UNANSWERED.isdisjoint(entry.get("state", ()))
    }
    hosts = {str(host.address): name for name, host in site.hosts.items() if host.zone == interface.zone}
    strangers = {address: mac for address, mac in known.items() if address not in hosts}
    others = {
        address: mac
        for address, mac in known.items()
        if address in hosts and mac != mac_address(site.hosts[hosts[address]].address)
    }
    told: dict[str, Any] = {
        "subject": f"zone {interface.zone}",
        "expected": "described hosts alone",
        "read": ", ".join(f"{address} {mac}" for address, mac in sorted(known.items())),
        "source": f"ip neigh on {site.gateway}",
    }
    wrong = strangers or others
    if not wrong:
        return as_described(NEIGHBOURS, site.gateway, **told)
    address, mac = next(iter(sorted(wrong.items())))
    return otherwise(
        NEIGHBOURS,
        site.gateway,
        UNDECLARED if strangers else CHANGED,
        observed=", ".join(f"{at} {card}" for at, card in sorted(wrong.items())),
        remedy=REMEDY.format(gateway=site.gateway),
        **told,
        target=address,
        mac=mac,
        asset_zone=interface.zone,
    )
