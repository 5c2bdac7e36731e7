"""Bundles of foreign devices, kept up to date below a lab's folder: devices' containers show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.engine.device_spec import BUNDLES, bundle_folder
from lab.trust.bundle import SHOWN, remove_bundles, write_bundle

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site


def renew_bundles(site: Site, folder: Path) -> None:
    """Write the bundle of every device of a site into its lab's folder; those of others go.

    Raises:
        TrustError: files of the PKI are damaged.
    """
    devices = {name for name, host in site.hosts.items() if host.device is not None}
    for host in devices:
        write_bundle(site, folder, host, bundle_folder(folder, host), SHOWN)
    remove_bundles(folder / BUNDLES, devices)
