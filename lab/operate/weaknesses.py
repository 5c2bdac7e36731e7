"""Publicly known weaknesses of what a site's hosts are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.images.recipe import install_variables

if TYPE_CHECKING:
    from lab.topology.site import Site


@dataclass(frozen=True)
class Known:
    """A part with weaknesses: their CVE numbers, what they allow, the role that brings it and its hosts."""

    part: str
    ids: tuple[str, ...]
    what: str
    role: str
    hosts: tuple[str, ...]


def weaknesses(site: Site) -> list[Known]:
    """What the roles of the site say of the parts that this site's settings install."""
    variables = install_variables(site)
    return [
        Known(weakness.part, tuple(weakness.ids), weakness.what, role, hosts)
        for role, meta in sorted(site.catalog.items())
        if (hosts := tuple(name for name, host in site.managed.items() if role in host.roles))
        for weakness in meta.weaknesses
        if all(variables.get(name) == value for name, value in weakness.when.items())
    ]
