"""Passwords and seeds that the lab makes for its hosts and people, and keeps beside its PKI."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING

from lab.state_file import read_json
from lab.trust.files import locked, write_private

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lab.topology.site import Site

_OCTETS = 24  # 192 bits: beyond guessing, whatever the service's limits on attempts
_SEED = 20  # octets: 160 bits, what RFC 4226 R6 recommends for one-time passwords


def ensure_secrets(site: Site, folder: Path) -> dict[str, dict[str, str]]:
    """Return every secret that a role declares, by name and host, or by name and person.

    Those that are missing are made; those of hosts and people that were removed are dropped.

    They are kept in ``<folder>/secrets.json``, mode 0600.
    """
    path = folder / "secrets.json"
    with locked(folder):
        known = _read(path)
        wanted = {
            name: {holder: known.get(name, {}).get(holder) or make() for holder in holders}
            for name, holders, make in _declared(site)
        }
        if wanted != known:
            write_private(path, (json.dumps(wanted, indent=2) + "\n").encode())
    return wanted


def _declared(site: Site) -> Iterator[tuple[str, list[str], Callable[[], str]]]:
    """Every secret by its name, with who has one, and what makes one."""
    for role, meta in site.catalog.items():
        hosts = [host for host, entry in site.hosts.items() if role in entry.roles]
        people = list(site.topology.people) if hosts else []
        for name in meta.secrets:
            yield name, hosts, _MAKERS["password"]
        for name, entry in meta.secrets_of_people.items():
            yield name, people, _MAKERS[entry.form]


_MAKERS: dict[str, Callable[[], str]] = {
    "password": lambda: secrets.token_urlsafe(_OCTETS),
    "base32": lambda: base64.b32encode(secrets.token_bytes(_SEED)).decode("ascii"),
}


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        return read_json(
            path,
            dict[str, dict[str, str]],
            remedy="Put the file back, or remove it and run 'pacslab up' to make and spread new ones.",
        )
    except FileNotFoundError:
        return {}
