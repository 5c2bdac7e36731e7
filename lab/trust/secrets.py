"""Passwords that the lab makes for itself and keeps beside its PKI."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

from lab.state_file import read_json
from lab.trust.files import locked, write_private

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

_OCTETS = 24  # 192 bits: beyond guessing, whatever the service's limits on attempts


def ensure_secrets(site: Site, folder: Path) -> dict[str, dict[str, str]]:
    """Return every secret that a role declares, by name and host.

    Those that are missing are made, those of removed hosts are dropped.

    They are kept in ``<folder>/secrets.json``, mode 0600.
    """
    path = folder / "secrets.json"
    with locked(folder):
        known = _read(path)
        wanted = {
            name: {
                host: known.get(name, {}).get(host) or secrets.token_urlsafe(_OCTETS)
                for host, entry in site.hosts.items()
                if role in entry.roles
            }
            for role, meta in site.catalog.items()
            for name in meta.secrets
        }
        if wanted != known:
            write_private(path, (json.dumps(wanted, indent=2) + "\n").encode())
    return wanted


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        return read_json(
            path,
            dict[str, dict[str, str]],
            remedy="Put the file back, or remove it and run 'pacslab up' to make and spread new ones.",
        )
    except FileNotFoundError:
        return {}
