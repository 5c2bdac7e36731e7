"""Read a file of revocation lists: every octet belongs to a list that one of the site's CAs signed, or none counts.

Programs in this folder import it. OpenSSL's own readers take certificates from a file of lists, and make trust anchors
of them: what was not parsed and verified here, and encoded again, is never written where they read.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding

if TYPE_CHECKING:
    from collections.abc import Iterable

BLOCK = re.compile(rb"-----BEGIN X509 CRL-----\n([A-Za-z0-9+/=\n]+)-----END X509 CRL-----\n")
"""RFC 7468 clause 3, in the strict form that clause 3 figure 3 gives, which is the one that `Encoding.PEM` writes."""


class RefusedError(Exception):
    """The file must not be used; ``reason`` is the word for it in an event."""

    def __init__(self, reason: str, message: str) -> None:
        """Say why; the message quotes nothing of what was fetched."""
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class RevocationList:
    """A list that one of the site's CAs signed; ``end`` is in epoch seconds, ``encoded`` is PEM of our own making."""

    issuer: str
    number: int
    end: float
    revoked: frozenset[int]
    encoded: bytes


def read_lists(text: bytes, authorities: bytes) -> list[RevocationList]:
    """Return the lists of a file (PEM), one an issuer.

    Args:
        text: the file, of whatever origin.
        authorities: the CA certificates of the site (PEM), from the host itself.

    Raises:
        RefusedError: an octet is not of a list, a list is not signed by a CA of the site, lacks what RFC 5280 5.1 and
            5.2 demand, or comes twice.
    """
    trusted = x509.load_pem_x509_certificates(authorities)
    lists = [_verified(block, trusted) for block in _blocks(text)]
    if len({entry.issuer for entry in lists}) != len(lists):
        raise RefusedError("not-a-list", "a CA has two lists")
    if encode(lists) != text:
        raise RefusedError("not-a-list", "a list is encoded in another way than ours")
    return lists


def encode(lists: Iterable[RevocationList]) -> bytes:
    """Return a file of lists."""
    return b"".join(entry.encoded for entry in lists)


def _blocks(text: bytes) -> list[bytes]:
    """Return the lists of a file as DER."""
    found, at = [], 0
    while at < len(text):
        block = BLOCK.match(text, at)
        if block is None:
            raise RefusedError("not-a-list", f"octet {at} and what follows is no revocation list")
        try:
            found.append(binascii.a2b_base64(block[1].replace(b"\n", b""), strict_mode=True))
        except binascii.Error as error:
            raise RefusedError("not-a-list", "a list is not encoded as RFC 7468 says") from error
        at = block.end()
    return found


def _verified(der: bytes, trusted: list[x509.Certificate]) -> RevocationList:
    try:
        parsed = x509.load_der_x509_crl(der)
        signed = any(_signed_by(parsed, authority) for authority in trusted)
    except (ValueError, TypeError, x509.ExtensionNotFound, UnsupportedAlgorithm, InvalidSignature) as error:
        raise RefusedError("not-a-list", "a list cannot be parsed") from error
    if not signed:
        raise RefusedError("not-signed", "a list is not signed by a CA of the site")
    try:
        number = parsed.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        unknown = [entry for entry in parsed.extensions if entry.critical]
        revoked = frozenset(entry.serial_number for entry in parsed)
    except (ValueError, x509.ExtensionNotFound) as error:
        raise RefusedError("not-signed", "a list lacks its number, or has an extension that cannot be read") from error
    # A critical extension, such as of a list that holds changes alone, changes what the list means (RFC 5280 5.2).
    if parsed.next_update_utc is None or unknown:
        raise RefusedError("not-signed", "a list lacks its end, or is not a complete list")
    return RevocationList(
        issuer=parsed.issuer.rfc4514_string(),
        number=number,
        end=parsed.next_update_utc.timestamp(),
        revoked=revoked,
        encoded=parsed.public_bytes(Encoding.PEM),
    )


def _signed_by(parsed: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
    key = authority.public_key()
    return parsed.issuer == authority.subject and usage.crl_sign and parsed.is_signature_valid(key)  # type: ignore[arg-type]
