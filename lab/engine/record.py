"""``.lab/<lab>/lab.json``: what a lab is, written when it begins, so that it can be asked without reading its site."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from lab.atomic_write import atomic_write
from lab.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

FILE = "lab.json"


@dataclass(frozen=True)
class HostRecord:
    """What ``status`` says of a host without reading the site."""

    zone: str
    address: str
    services: list[str]


@dataclass(frozen=True)
class LabRecord:
    """A lab: its site, its hosts, and the snapshot that it was made from, if any."""

    lab: str
    site: str
    topology: str
    hosts: dict[str, HostRecord]
    snapshot: str | None = None
    images: dict[str, str] = field(default_factory=dict)

    @classmethod
    def describe(
        cls, lab: str, site: Site, *, snapshot: str | None = None, images: dict[str, str] | None = None
    ) -> LabRecord:
        """The record of a lab of this site; ``images`` pins hosts of a clone to the images of its snapshot."""
        hosts = {
            name: HostRecord(host.zone, str(host.address), list(site.services(name)))
            for name, host in site.hosts.items()
        }
        return cls(lab, site.name, str(site.path), hosts, snapshot, images or {})

    def save(self, folder: Path) -> None:
        """Write the record; a reader sees the old one or the new one."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic_write(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")


def load_record(folder: Path) -> LabRecord | None:
    """Read the record, or None when there is no such lab.

    Raises:
        UsageError: the file is damaged.
    """
    path = folder / FILE
    try:
        content = json.loads(path.read_text("utf-8"))
        content["hosts"] = {name: HostRecord(**host) for name, host in content["hosts"].items()}
        return LabRecord(**content)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is damaged: {error}.", remedy=f"Run 'pacslab down --lab {folder.name}', then 'up'."
        ) from error
