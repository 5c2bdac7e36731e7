"""Which host of a description a machine is, and how it is reached: ``[HOST=]ssh://[user@]address[:port]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.verify.connection.channel import parse_way

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.topology.site import Site
    from lab.verify.connection.channel import SshWay


def ways(site: Site, given: Iterable[str], options: tuple[str, ...] = ()) -> dict[str, SshWay]:
    """How each host is reached, by its name in the description.

    A machine that is not named is known by its address, or by its name with or without the site's domain.

    Raises:
        UsageError: an address is none, or it is not clear which host it is.
    """
    found: dict[str, SshWay] = {}
    for entry in given:
        name, named, address = entry.rpartition("=")
        way = parse_way(address, options)
        host = name if named else _known(site, way.host)
        if host not in site.managed:
            raise UsageError(
                f"{entry!r} is no host of site {site.name!r}.",
                remedy=f"Name it: HOST={address}. Its hosts: {', '.join(site.managed)}.",
            )
        if host in found:
            raise UsageError(f"Host {host!r} is named twice.", remedy="Give each machine once.")
        found[host] = way
    return found


def _known(site: Site, address: str) -> str:
    for name, entry in site.managed.items():
        if address in {name, site.fqdn(name), str(entry.address)}:
            return name
    return ""
