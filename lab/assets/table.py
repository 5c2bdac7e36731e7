"""The register of assets as rows for a spreadsheet, and as what ``--json`` prints."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.assets.matches import Match
    from lab.assets.model import Asset, Installed

COLUMNS = (
    "host", "name", "purpose", "owner", "criticality", "regulated", "foreign", "zone", "addresses", "functions",
    "roles", "ae_title", "modality", "services", "certificates", "packages", "packages_from", "weaknesses",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula at the beginning of a cell."""


def as_csv(assets: Sequence[Asset], installed: Mapping[str, Installed], found: Sequence[Match]) -> str:
    """One row a host, under the names of the columns (RFC 4180); several values of a cell stand one a line."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for asset in assets:
        writer.writerow([_cell(value) for value in _row(asset, installed[asset.host], weaknesses_of(asset, found))])
    return text.getvalue()


def as_dicts(
    assets: Sequence[Asset], installed: Mapping[str, Installed], found: Sequence[Match]
) -> list[dict[str, Any]]:
    """Each host with all that is known of it, moments as RFC 3339 has them."""
    return [
        {
            **asdict(asset),
            "certificates": [
                {**asdict(own), "until": own.until.isoformat() if own.until else None} for own in asset.certificates
            ],
            "packages": [asdict(package) for package in installed[asset.host].packages],
            "packages_from": installed[asset.host].source,
            "packages_unknown": installed[asset.host].reason,
            "weaknesses": weaknesses_of(asset, found),
        }
        for asset in assets
    ]


def weaknesses_of(asset: Asset, found: Sequence[Match]) -> list[str]:
    """The numbers of the known weaknesses that a host has."""
    return [name for match in found if asset.host in match.hosts for name in match.weakness.ids]


def _row(asset: Asset, installed: Installed, weaknesses: Sequence[str]) -> list[str]:
    services = (f"{own.name} {own.protocol}/{own.port}" for own in asset.services if own.scope == "network")
    certificates = (
        f"{own.name} {own.profile}" + (f" until {own.until:%Y-%m-%d}" if own.until else "")
        for own in asset.certificates
    )
    return [
        asset.host,
        asset.fqdn,
        asset.purpose,
        asset.owner,
        asset.criticality,
        "yes" if asset.regulated else "no",
        "yes" if asset.foreign else "no",
        asset.zone,
        "\n".join(f"{own.address} {own.zone}" for own in asset.addresses),
        "\n".join(asset.functions),
        "\n".join(asset.roles),
        asset.ae_title,
        asset.modality,
        "\n".join(services),
        "\n".join(certificates),
        str(len(installed.packages)) if installed.source else "",
        installed.source or installed.reason,
        "\n".join(weaknesses),
    ]


def _cell(value: str) -> str:
    """A value that no spreadsheet runs."""
    return f"'{value}" if value.startswith(FORMULA) else value
