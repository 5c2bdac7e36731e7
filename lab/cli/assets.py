"""``pacslab assets``: the register of a site's assets, with what is installed on each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lab.atomic_write import atomic_write
from lab.cli import installed as cli_installed
from lab.cli.columns import columns
from lab.cli.target import described_lab

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence

    from lab.assets.model import Asset, Installed

EXAMPLE = """
pacslab assets
pacslab assets --csv assets.csv --cyclonedx assets.cdx.json
pacslab assets --host pacs-rad --running --json
pacslab assets --log
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which hosts, where the register goes, and who says what is installed."""
    cli_installed.add_arguments(parser)
    parser.add_argument("--csv", metavar="FILE", type=Path, help="also write it as CSV, one row a host")
    parser.add_argument("--cyclonedx", metavar="FILE", type=Path, help="also write it as CycloneDX 1.6, with packages")
    parser.add_argument("--log", action="store_true", help="also write it into the log of the running lab, as events")


def run(arguments: argparse.Namespace) -> int:
    """Print the register, and write it where it is asked for; 0 whatever is in it."""
    from lab.assets.known import known_at  # noqa: PLC0415 # with those that follow, slow to import; --help needs none
    from lab.assets.matches import matches  # noqa: PLC0415
    from lab.assets.register import register  # noqa: PLC0415
    from lab.assets.table import as_csv, as_dicts  # noqa: PLC0415
    from lab.assets.tell import asset_event, tell, telling_host  # noqa: PLC0415

    lab = described_lab(arguments)
    installed = cli_installed.installed_on(lab, arguments)
    assets = register(lab.site, lab.folder, installed)
    found = matches(known_at(lab.site), installed)
    if arguments.csv:
        atomic_write(arguments.csv, as_csv(assets, installed, found))
    if arguments.cyclonedx:
        from lab.assets.cyclonedx import document  # noqa: PLC0415 # only who asks for it pays

        atomic_write(arguments.cyclonedx, document(lab.site, assets, installed, found, datetime.now(UTC)) + "\n")
    if arguments.log:
        tell(lab, telling_host(lab.site), map(asset_event, assets))
    if arguments.json:
        print(json.dumps({"site": lab.site.name, "assets": as_dicts(assets, installed, found)}))
    else:
        print(_as_text(assets, installed))
    return 0


def _as_text(assets: Sequence[Asset], installed: Mapping[str, Installed]) -> str:
    rows = [("HOST", "ZONE", "ADDRESS", "OWNER", "CRITICALITY", "REGULATED", "PACKAGES", "PURPOSE")]
    for asset in assets:
        own = installed[asset.host]
        rows.append(
            (
                asset.host,
                asset.zone,
                asset.addresses[0].address,
                asset.owner,
                asset.criticality,
                "yes" if asset.regulated else "no",
                str(len(own.packages)) if own.source else "unknown",
                asset.purpose,
            )
        )
    reasons = {own.reason: None for own in installed.values() if own.reason}
    return "\n".join([*columns(rows), f"{len(assets)} assets", *(f"unknown packages: {reason}" for reason in reasons)])
