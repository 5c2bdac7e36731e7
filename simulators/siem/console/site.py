"""The site as the picture shows it: zones with their hosts, from a file that is rendered from the description."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from simulators.errors import NotReadyError

PATH = Path("/etc/pacslab/console.json")


@dataclass(frozen=True)
class Host:
    """A host."""

    name: str
    purpose: str = ""


@dataclass(frozen=True)
class Zone:
    """A zone with its hosts."""

    name: str
    subnet: str
    purpose: str
    hosts: tuple[Host, ...]


@dataclass(frozen=True)
class Site:
    """What the console knows of its site.

    Attributes:
        title: for people.
        origin: where the console is: ``https://`` and its host's name.
        zones: in the description's order.
        senders: hosts that send audit messages.
    """

    title: str
    origin: str
    zones: tuple[Zone, ...] = ()
    senders: tuple[str, ...] = ()


def load(path: Path = PATH) -> Site:
    """Read the site.

    Raises:
        NotReadyError: the file is missing, or of another form.
    """
    try:
        given = json.loads(path.read_text("utf-8"))
        zones = tuple(
            Zone(
                str(zone["name"]), str(zone["subnet"]), str(zone["purpose"]),
                tuple(Host(str(host["name"]), str(host["purpose"])) for host in zone["hosts"]),
            )
            for zone in given["zones"]
        )  # fmt: skip
        return Site(str(given["title"]), str(given["origin"]), zones, tuple(map(str, given["senders"])))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NotReadyError(f"{path} does not tell the site: {error}", remedy="Configure the host again.") from error
