"""``.lab/<lab>/lab.json``: what a lab is, written when it begins, so that it can be asked without reading its site."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from lab.atomic_write import atomic_write
from lab.state_file import read_json

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
    beside: bool = False
    """Whether an image of the user's runs beside it, in its network."""
    ports: dict[str, int] | None = None
    """Of a foreign device, which reports nothing: the ports to connect to, by service. None: a host of ours."""


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
        hosts = {}
        for name, host in site.hosts.items():
            ports = site.probed_ports(name) if host.foreign else None
            services = list(site.services(name) if ports is None else ports)
            beside = not host.foreign and host.device is not None and host.device.image is not None
            hosts[name] = HostRecord(host.zone, str(host.address), services, beside, ports)
        return cls(lab, site.name, str(site.path), hosts, snapshot, images or {})

    def save(self, folder: Path) -> None:
        """Write the record; a reader sees the old one or the new one."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        atomic_write(folder / FILE, json.dumps(asdict(self), indent=1) + "\n")


def load_record(folder: Path) -> LabRecord | None:
    """Read the record, or None when there is no such lab.

    Raises:
        DamagedFileError: the file is not what was written there.
    """
    path = folder / FILE
    remedy = (
        f"Remove that file ('rm {path}') and run 'pacslab up --lab {folder.name}' with the --site or --from of before: "
        "it is written again, and hosts that run go on."
    )
    try:
        return read_json(path, LabRecord, remedy=remedy)
    except FileNotFoundError:
        return None
