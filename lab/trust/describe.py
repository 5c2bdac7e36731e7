"""What a host's certificate says, in words and lists that a person and ``--json`` can read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import AuthorityInformationAccessOID

from lab.trust.index import Index
from lab.trust.pki import no_certificate
from lab.trust.profiles import USAGES
from lab.trust.store import current, pki_folder

if TYPE_CHECKING:
    from pathlib import Path

E = TypeVar("E", bound=x509.ExtensionType)
_WORDS = {identifier: name for name, identifier in USAGES.items()}


def describe(folder: Path, host: str, name: str) -> dict[str, str | list[str]]:
    """Return the facts of a host's certificate.

    Raises:
        UsageError: there is no such certificate.
    """
    pki = pki_folder(folder)
    certificate = current(pki, host, name)
    if certificate is None:
        raise no_certificate(host, name)
    entry = Index(pki / "index.txt").get(certificate.serial_number)
    state = "expired" if certificate.not_valid_after_utc <= datetime.now(UTC) else "good"
    if entry is not None and entry.revoked is not None:
        state = f"revoked {entry.revoked:%Y-%m-%dT%H:%M:%SZ} ({entry.reason})"
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "names": _names(certificate),
        "serial": f"{certificate.serial_number:X}",
        "from": certificate.not_valid_before_utc.isoformat(),
        "until": certificate.not_valid_after_utc.isoformat(),
        "state": state,
        "usages": _usages(certificate),
        "ocsp": _ocsp(certificate),
        "sha256": certificate.fingerprint(hashes.SHA256()).hex(),
    }


def _names(certificate: x509.Certificate) -> list[str]:
    names = _extension(certificate, x509.SubjectAlternativeName)
    return list(names.get_values_for_type(x509.DNSName)) if names is not None else []


def _usages(certificate: x509.Certificate) -> list[str]:
    usages = _extension(certificate, x509.ExtendedKeyUsage)
    return [_WORDS.get(usage, usage.dotted_string) for usage in usages or ()]


def _ocsp(certificate: x509.Certificate) -> list[str]:
    access = _extension(certificate, x509.AuthorityInformationAccess)
    return [
        entry.access_location.value
        for entry in access or ()
        if entry.access_method == AuthorityInformationAccessOID.OCSP
    ]


def _extension(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """An extension's value; None where the certificate, which need not be one of ours, lacks it."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
