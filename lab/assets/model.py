"""What a register of assets consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Kind(StrEnum):
    """Where a package comes from; the words are those of package URLs."""

    DEBIAN = "deb"
    PYTHON = "pypi"
    NPM = "npm"


@dataclass(frozen=True)
class Package:
    """Something that is installed, with its version.

    Attributes:
        kind: Where it comes from.
        name: As its source calls it; of npm with its scope.
        version: As its source writes it.
        purl: Its package URL, which names it everywhere.
        licences: What it states, as it states it.
    """

    kind: Kind
    name: str
    version: str
    purl: str
    licences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Installed:
    """What a host is made of.

    Attributes:
        packages: Sorted by their package URLs.
        source: Where this was read; empty where nothing could be read.
        reason: Why nothing could be read.
    """

    packages: tuple[Package, ...] = ()
    source: str = ""
    reason: str = ""


@dataclass(frozen=True)
class AssetAddress:
    """An address of a host, and the zone that it has it in."""

    zone: str
    address: str


@dataclass(frozen=True)
class AssetService:
    """A service of a host that has a port.

    Attributes:
        presents: The profile of the certificate that it proves itself with; empty where it has none.
    """

    name: str
    protocol: str
    port: int
    scope: str
    presents: str = ""


@dataclass(frozen=True)
class AssetCertificate:
    """A certificate of a host; ``until`` is unknown before the lab has issued it."""

    name: str
    profile: str
    names: tuple[str, ...]
    until: datetime | None = None


@dataclass(frozen=True)
class Asset:
    """A host, as a register keeps it: all from the description of its site, but the ends of certificates."""

    host: str
    fqdn: str
    purpose: str
    owner: str
    criticality: str
    regulated: bool
    foreign: bool
    zone: str
    addresses: tuple[AssetAddress, ...]
    functions: tuple[str, ...]
    roles: tuple[str, ...]
    ae_title: str
    modality: str
    services: tuple[AssetService, ...]
    certificates: tuple[AssetCertificate, ...]
