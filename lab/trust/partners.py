"""Keys of the partners' own: a certificate of a CA that the site does not know, and what signs their statements.

A lab makes them in the partners' place. Of a partner the site is given one thing, the certificate with which its
statements are verified. The partner's CA is for browsers, as public CAs are; no host of the site has it, and its key
is thrown away once it has signed.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from lab.trust.authority import Authority, Wanted, new_key
from lab.trust.files import certificate_pem, key_pem, locked, read_kept, write_kept
from lab.trust.profiles import CLOCK_SKEW, LEAF_LIFETIME, RENEW_BEFORE, ROOT_LIFETIME

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

FILE = "partners.json"
RSA_BITS = 3072
"""Of the key that signs: as strong as 128 bits (SP 800-57 part 1, table 2), in the one kind that Lasso verifies."""


@dataclass(frozen=True)
class PartnerKeys:
    """What a partner's sign-on has of its own, all in PEM.

    Attributes:
        authority: The certificate of the partner's CA.
        certificate: What its web server proves itself with.
        key: The key to that.
        signing_certificate: What its statements are verified with.
        signing_key: The key that signs them.
    """

    authority: str
    certificate: str
    key: str
    signing_certificate: str
    signing_key: str


def ensure_partners(site: Site, folder: Path) -> dict[str, dict[str, str]]:
    """Return the keys of each partner by its name, as :class:`PartnerKeys` has them.

    Those that are missing or end soon are made, those of removed partners are dropped. They are kept in
    ``<folder>/partners.json``, mode 0600.

    Raises:
        DamagedFileError: the file does not hold what was written there.
    """
    with locked(folder):
        known, now = read_partners(folder), datetime.now(UTC)
        wanted = {}
        for name, partner in site.topology.partners.items():
            fqdn = site.fqdn(partner.host)
            kept = name in known and _lasts(known[name]["certificate"], fqdn, now)
            wanted[name] = known[name] if kept else asdict(_make(partner.title, fqdn, now))
        if wanted != known:
            write_kept(folder / FILE, wanted)
    return wanted


def read_partners(folder: Path) -> dict[str, dict[str, str]]:
    """Return the keys that are kept in a lab's folder: none before it was brought up.

    Raises:
        DamagedFileError: the file does not hold what was written there.
    """
    return read_kept(
        folder / FILE, remedy="Put the file back, or remove it and run 'pacslab up' to make and spread new keys."
    )


def _lasts(certificate: str, fqdn: str, now: datetime) -> bool:
    """Whether a certificate is the host's and good for a while."""
    read = x509.load_pem_x509_certificate(certificate.encode())
    names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return names.get_values_for_type(x509.DNSName) == [fqdn] and read.not_valid_after_utc - now > RENEW_BEFORE


def _make(title: str, fqdn: str, now: datetime) -> PartnerKeys:
    authority = Authority.self_signed(f"{title[:50]} CA", title[:64], now, ROOT_LIFETIME)
    key = new_key()
    leaf = authority.issue(
        Wanted(fqdn, "partner", ("serverAuth",), title[:64], None, (fqdn,)), key.public_key(), now, LEAF_LIFETIME
    )
    signing = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return PartnerKeys(
        authority=certificate_pem(authority.certificate).decode(),
        certificate=certificate_pem(leaf).decode(),
        key=key_pem(key).decode(),
        signing_certificate=certificate_pem(_self_signed(signing, fqdn, now)).decode(),
        signing_key=signing.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    )


def _self_signed(key: rsa.RSAPrivateKey, fqdn: str, now: datetime) -> x509.Certificate:
    """A certificate of nobody but the key itself: who has it from the partner's metadata trusts that key alone."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"signing.{fqdn}"[:64])])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + ROOT_LIFETIME)
        .sign(key, hashes.SHA256())
    )
