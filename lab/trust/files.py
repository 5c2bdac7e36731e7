"""Files of the PKI: written whole or not at all, readable by their owner alone."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from filelock import FileLock

from lab.atomic_write import atomic_write
from lab.errors import PacslabError
from lab.state_file import read_bytes, read_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class TrustError(PacslabError):
    """The PKI's files do not say what they should."""

    exit_code = 5


def make_private_folder(folder: Path) -> None:
    """Make a folder, and those above it, that only its owner may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one step; its mode is 0600 from its first byte on."""
    make_private_folder(path.parent)
    atomic_write(path, content, mode=0o600, durable=True)


def read_kept(path: Path, *, remedy: str) -> dict[str, dict[str, str]]:
    """Return values that a lab keeps, by two names; none before they were made.

    Raises:
        DamagedFileError: the file does not hold what was written there.
    """
    try:
        return read_json(path, dict[str, dict[str, str]], remedy=remedy)
    except FileNotFoundError:
        return {}


def write_kept(path: Path, values: Mapping[str, Mapping[str, str]]) -> None:
    """Write what :func:`read_kept` reads; its mode is 0600."""
    write_private(path, (json.dumps(values, indent=2) + "\n").encode())


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder against other drivers: two that sign at once would lose entries of the index."""
    make_private_folder(folder)
    with FileLock(folder / ".lock", mode=0o600):
        yield


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a key as PKCS #8 in PEM, without a passphrase: services start without a person."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def certificate_pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate in PEM."""
    return certificate.public_bytes(Encoding.PEM)


def read_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Read an elliptic-curve key.

    Raises:
        TrustError: the file is not one.
    """
    try:
        key = load_pem_private_key(read_bytes(path, remedy=_REBUILD), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise TrustError(f"{path} cannot be read as a key: {error}", remedy=_REBUILD) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TrustError(f"{path} is not an elliptic-curve key", remedy=_REBUILD)
    return key


def read_certificate(path: Path) -> x509.Certificate:
    """Read the first certificate of a PEM file.

    Raises:
        TrustError: the file holds none.
    """
    try:
        return x509.load_pem_x509_certificate(read_bytes(path, remedy=_REBUILD))
    except (OSError, ValueError) as error:
        raise TrustError(f"{path} cannot be read as a certificate: {error}", remedy=_REBUILD) from error


_REBUILD = "Put the file back, or remove the lab's pki folder and run 'pacslab up' to make all again."
