"""The register of assets of a site, from its description."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.assets.model import Asset, AssetAddress, AssetCertificate, AssetService
from lab.trust.store import current, pki_folder

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from lab.topology.site import Site


def register(site: Site, folder: Path, hosts: Collection[str] = ()) -> list[Asset]:
    """Every host of a site, or those that are named, in the order of the description.

    Args:
        site: whose hosts.
        folder: the lab's, in which certificates are looked up; it need not exist.
        hosts: which of them; none for all.

    Raises:
        TrustError: a certificate of the lab is damaged.
    """
    return [_asset(site, folder, host) for host in site.hosts if not hosts or host in hosts]


def _asset(site: Site, folder: Path, host: str) -> Asset:
    entry = site.hosts[host]
    services = (
        AssetService(name, service.protocol, port, service.scope, service.presents or "")
        for name, service in site.services(host).items()
        for port in site.ports(host, name)
    )
    certificates = site.certificates(host) if host in site.managed else ()
    return Asset(
        host=host,
        fqdn=site.fqdn(host),
        purpose=entry.asset.purpose,
        owner=entry.asset.owner,
        criticality=entry.asset.criticality.value,
        regulated=entry.asset.regulated,
        foreign=entry.foreign,
        zone=entry.zone,
        addresses=tuple(AssetAddress(found.zone, str(found.address)) for found in site.interfaces(host)),
        functions=tuple(entry.functions),
        roles=tuple(entry.roles),
        ae_title=entry.ae_title or "",
        modality=entry.modality or "",
        services=tuple(services),
        certificates=tuple(_certificate(site, folder, host, name) for name in certificates),
    )


def _certificate(site: Site, folder: Path, host: str, name: str) -> AssetCertificate:
    profile = site.certificates(host)[name].profile
    issued = current(pki_folder(folder), host, name)
    until = None if issued is None else issued.not_valid_after_utc
    return AssetCertificate(name, profile, tuple(site.names(host, profile)), until)
