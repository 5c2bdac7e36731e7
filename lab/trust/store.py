"""Where the PKI's files are, and the revocation lists that are signed from its index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from lab.state_file import DamagedFileError, read_bytes
from lab.trust.authority import Authority
from lab.trust.files import TrustError, read_certificate, read_key, write_private
from lab.trust.profiles import ISSUING_CRL_LIFETIME, ROOT_CRL_LIFETIME

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from pathlib import Path

    from lab.trust.index import Entry, Index


_REMEDY = "Put the file back from a copy: its number must go on from the last that was published."


def pki_folder(folder: Path) -> Path:
    """Return where a lab's PKI lives below the lab's folder."""
    return folder / "pki"


def leaf_file(pki: Path, host: str, name: str, suffix: str) -> Path:
    """Return the path of a host's key, crt or pem file."""
    return pki / "hosts" / host / f"{name}.{suffix}"


def current(pki: Path, host: str, name: str) -> x509.Certificate | None:
    """Return the certificate in use; None when one of its three files is missing and all have to be made again."""
    if not all(leaf_file(pki, host, name, suffix).exists() for suffix in ("key", "crt", "pem")):
        return None
    return read_certificate(leaf_file(pki, host, name, "crt"))


def load_authority(pki: Path, name: str) -> Authority:
    """Return the CA called ``root`` or ``issuing``.

    Raises:
        TrustError: the lab has no PKI, or its files are damaged.
    """
    return Authority(read_key(pki / f"{name}.key"), read_certificate(pki / f"{name}.crt"))


def ensure_lists(pki: Path, index: Index, now: datetime) -> list[str]:
    """Sign those CRLs again that lack a revocation or are past half of their time; return their file names.

    ``root.crl`` and ``issuing.crl`` are DER, as RFC 5280 4.2.1.13 wants them where a certificate points to them;
    ``crl.pem`` holds both, as servers that check the whole chain read them.
    """
    issuing, issuing_is_new = _ensure_list(pki, "issuing", index.revoked(), ISSUING_CRL_LIFETIME, now)
    root, root_is_new = _ensure_list(pki, "root", [], ROOT_CRL_LIFETIME, now)
    text = issuing.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM)
    both = pki / "crl.pem"
    if not _holds(both, text):
        write_private(both, text)
    return [name for name, new in (("issuing.crl", issuing_is_new), ("root.crl", root_is_new)) if new]


def _ensure_list(
    pki: Path, name: str, revoked: list[Entry], lifetime: timedelta, now: datetime
) -> tuple[x509.CertificateRevocationList, bool]:
    path = pki / f"{name}.crl"
    number = 1
    if path.exists():
        before, number = _read_list(path)
        fresh = before.next_update_utc is not None and before.next_update_utc - now > lifetime / 2
        if fresh and {former.serial_number for former in before} == {entry.serial for entry in revoked}:
            return before, False
        number += 1
    signed = load_authority(pki, name).revocation_list(revoked, number, now, lifetime)
    write_private(path, signed.public_bytes(Encoding.DER))
    return signed, True


def _read_list(path: Path) -> tuple[x509.CertificateRevocationList, int]:
    """A list that was signed before, and its number.

    Raises:
        TrustError: the file is none of ours.
    """
    try:
        read = x509.load_der_x509_crl(read_bytes(path, remedy=_REMEDY))
        return read, read.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except (ValueError, x509.ExtensionNotFound) as error:
        raise TrustError(f"{path} cannot be read as a revocation list: {error}", remedy=_REMEDY) from error


def _holds(path: Path, content: bytes) -> bool:
    try:
        return read_bytes(path, remedy=_REMEDY) == content
    except (FileNotFoundError, DamagedFileError):
        return False
