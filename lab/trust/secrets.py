"""Passwords that the lab makes for itself, and what its people sign in with; kept beside its PKI."""

from __future__ import annotations

import secrets
from base64 import b32encode
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from lab.trust.files import key_pem, locked, read_kept, write_kept

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.topology.site import Site

FILE = "secrets.json"
_OCTETS = 24  # 192 bits: beyond guessing, whatever the service's limits on attempts
_SEED_OCTETS = 20  # RFC 4226 4, R6: as long as what HMAC-SHA-1 gives
_SETS = ("bcdfghjkmnpqrstvwxz", "BCDFGHJKLMNPQRSTVWXZ", "23456789")
"""No vowels, so that no word and no name turns up, which directories refuse; and nothing that looks like another."""


def ensure_secrets(site: Site, folder: Path) -> dict[str, dict[str, str]]:
    """Return every secret that a role declares, by name and by the host or the person whose it is.

    Those that are missing are made, those of removed hosts and people are dropped.

    They are kept in ``<folder>/secrets.json``, mode 0600.
    """
    with locked(folder):
        known = read_secrets(folder)
        wanted = {
            name: {owner: known.get(name, {}).get(owner) or make() for owner in owners}
            for name, owners, make in _declared(site)
        }
        if wanted != known:
            write_kept(folder / FILE, wanted)
    return wanted


def read_secrets(folder: Path) -> dict[str, dict[str, str]]:
    """Return the secrets that are kept in a lab's folder: none before it was brought up.

    Raises:
        DamagedFileError: the file does not hold what was written there.
    """
    return read_kept(
        folder / FILE, remedy="Put the file back, or remove it and run 'pacslab up' to make and spread new ones."
    )


def _declared(site: Site) -> list[tuple[str, list[str], Callable[[], str]]]:
    """Each secret with those who have one, and how one is made."""
    found: list[tuple[str, list[str], Callable[[], str]]] = []
    for role, meta in site.catalog.items():
        hosts = [name for name, host in site.hosts.items() if role in host.roles]
        found += [(name, hosts, _token) for name in meta.secrets]
        for name, secret in meta.secrets_of_people.items():
            everybody = site.topology.people if secret.of == "people" else site.topology.visitors
            people = [person for person, entry in everybody.items() if secret.belongs_to(entry)]
            found.append((name, people if hosts else [], _MAKE[secret.kind]))
    return found


def _token() -> str:
    return secrets.token_urlsafe(_OCTETS)


def _password() -> str:
    """A password that a person can type: 89 bits in groups of four, with letters of either case and a digit."""
    while True:
        text = "".join(secrets.choice("".join(_SETS)) for _ in range(16))
        if all(set(text) & set(characters) for characters in _SETS):
            return "-".join(text[start : start + 4] for start in range(0, 16, 4))


def _seed() -> str:
    return b32encode(secrets.token_bytes(_SEED_OCTETS)).decode()


def _security_key() -> str:
    return key_pem(ec.generate_private_key(ec.SECP256R1())).decode()


_MAKE: dict[str, Callable[[], str]] = {
    "password": _password,
    "one-time-password": _seed,
    "security-key": _security_key,
}
