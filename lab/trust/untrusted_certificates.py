"""Certificates that must be refused: foreign, expired and self-signed ones. None is kept among the real ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lab.trust.authority import Authority, Wanted, new_key
from lab.trust.files import certificate_pem, key_pem
from lab.trust.pki import organization, site_wanted
from lab.trust.profiles import ISSUING_LIFETIME, LEAF_LIFETIME, ROOT_LIFETIME
from lab.trust.store import load_authority, pki_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site


@dataclass(frozen=True)
class Bundle:
    """A key with its certificate and the CA certificates that a client sends along, all PEM."""

    key: bytes
    certificate: bytes
    authority: bytes


def foreign(site: Site, host: str, profile: str) -> Bundle:
    """Return what the host's certificate would look like from a CA that the site does not know.

    The CA carries the names of the site's own, so that only the signature tells them apart.
    """
    now = datetime.now(UTC)
    root = Authority.self_signed(f"{site.name} root CA", organization(site), now, ROOT_LIFETIME)
    wanted = site_wanted(site, host, profile)
    issuing = root.subordinate(f"{site.name} issuing CA", organization(site), now, ISSUING_LIFETIME, wanted.status_url)
    return _bundle(issuing, wanted, now, LEAF_LIFETIME)


def expired(site: Site, folder: Path, host: str, profile: str) -> Bundle:
    """Return a certificate of the lab's own issuing CA that ended yesterday.

    It is signed without an entry in the index: what the CA once issued and then forgot is refused by its date alone.
    """
    began = datetime.now(UTC) - timedelta(days=2)
    return _bundle(
        load_authority(pki_folder(folder), "issuing"), site_wanted(site, host, profile), began, timedelta(days=1)
    )


def self_signed(site: Site, host: str, profile: str) -> Bundle:
    """Return a certificate for the host's name that is signed by its own key alone."""
    now = datetime.now(UTC)
    wanted = site_wanted(site, host, profile)
    key = new_key()
    certificate = Authority.self_signed_leaf(key, wanted, now)
    return Bundle(key_pem(key), certificate_pem(certificate), certificate_pem(certificate))


def _bundle(issuing: Authority, wanted: Wanted, begins: datetime, lifetime: timedelta) -> Bundle:
    key = new_key()
    certificate = issuing.issue(wanted, key.public_key(), begins, lifetime)
    return Bundle(key_pem(key), certificate_pem(certificate), certificate_pem(issuing.certificate))
