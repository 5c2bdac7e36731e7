"""A host's certificates as a bundle to hand over to whoever looks after it: files that every product reads."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12

from lab.atomic_write import atomic_write
from lab.errors import UsageError
from lab.trust.bundle_page import PAGE, bundle_page
from lab.trust.files import locked, read_key
from lab.trust.pki import status_url
from lab.trust.store import leaf_file, pki_folder

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

PASSWORD = "password.txt"  # noqa: S105 # the name of a file
LISTS = ("crl.pem", "issuing.crl", "root.crl")
AUTHORITIES = "ca.crt"
TRUST_STORE = "truststore.p12"
_OCTETS = 18


@dataclass(frozen=True)
class Modes:
    """Who may read what is written: folders and files."""

    folder: int
    file: int


PRIVATE = Modes(0o700, 0o600)
"""For a folder of the person's own."""
SHOWN = Modes(0o755, 0o644)
"""For a folder that is shown in a device's container, whose user is anyone; what is above lets nobody else pass."""


def write_bundle(site: Site, lab: Path, host: str, target: Path, modes: Modes = PRIVATE) -> list[str]:
    """Write what a host holds into a folder, and return the names of its files. What is the same is left alone.

    For each certificate NAME there is ``NAME.key``, ``NAME.crt`` (with the issuing CA's), ``NAME.pem`` (both) and
    ``NAME.p12``; besides ``ca.crt``, ``truststore.p12``, the revocation lists, the password of the ``.p12`` files, and
    a page of what the host and its peers have to know of each other. A device behind a shim gets the
    page alone: the shim has the keys.

    Raises:
        UsageError: there is no such host, no certificate of it was made yet, or the folder holds something else.
        TrustError: files of the PKI are damaged.
    """
    if host not in site.hosts:
        raise UsageError(f"The site has no host {host!r}.", remedy=f"Its hosts: {', '.join(site.hosts)}.")
    device = site.hosts[host].device
    shimmed = device is not None and device.shim
    names = [] if shimmed else list(site.certificates(host))
    pki = pki_folder(lab)
    _make_folder(target, modes)
    with locked(pki):
        page = {PAGE: bundle_page(site, host, names, status_url(site)).encode()}
        if shimmed:
            _write(target, page, modes)
            return [PAGE]
        wanted = _texts(pki, host, names) | page
        password = _password(target, modes)
        for name in names:
            if _differ(target, wanted, f"{name}.key", f"{name}.crt", f"{name}.p12"):
                atomic_write(target / f"{name}.p12", _key_store(pki, host, name, password), mode=modes.file)
        if _differ(target, wanted, AUTHORITIES, TRUST_STORE):
            atomic_write(target / TRUST_STORE, _trust_store(pki, password), mode=modes.file)
        _write(target, wanted, modes)  # after what is made of them, so that a run that was cut off does both again
    files = {*wanted, PASSWORD, TRUST_STORE, *(f"{name}.p12" for name in names)}
    for entry in target.iterdir():
        if entry.name not in files and entry.suffix in {".key", ".crt", ".pem", ".p12"}:
            entry.unlink()  # of a certificate that the host no longer has
    return sorted(files)


def remove_bundles(folder: Path, known: set[str]) -> None:
    """Remove the bundles of hosts that are not known (any more)."""
    for entry in folder.glob("*"):
        if entry.name not in known:
            shutil.rmtree(entry)


def _texts(pki: Path, host: str, names: list[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for name in names:
        for suffix in ("key", "crt", "pem"):
            path = leaf_file(pki, host, name, suffix)
            if not path.exists():
                raise UsageError(f"Certificate {name} of {host} was not made yet.", remedy="Run 'pacslab up' first.")
            found[path.name] = path.read_bytes()
    for name in (AUTHORITIES, *LISTS):
        found[name] = (pki / name).read_bytes()
    return found


def _make_folder(target: Path, modes: Modes) -> None:
    """Make the folder, or take one that holds a bundle or nothing: its mode is changed, and files of its own go."""
    if target.is_dir() and not (target / PAGE).exists() and any(target.iterdir()):
        raise UsageError(f"{target} holds something else than a bundle.", remedy="Name a folder that is not there yet.")
    target.mkdir(parents=True, exist_ok=True)
    target.chmod(modes.folder)


def _differ(target: Path, files: dict[str, bytes], *names: str) -> bool:
    """Whether any of these is missing, or is not what it is to be (of those whose content is known)."""
    paths = [target / name for name in names]
    return not all(path.exists() and files.get(path.name) in {None, path.read_bytes()} for path in paths)


def _write(target: Path, files: dict[str, bytes], modes: Modes) -> None:
    for name, content in files.items():
        if _differ(target, files, name):
            atomic_write(target / name, content, mode=modes.file)


def _password(target: Path, modes: Modes) -> str:
    path = target / PASSWORD
    if not path.exists():
        atomic_write(path, f"{secrets.token_urlsafe(_OCTETS)}\n", mode=modes.file)
    return path.read_text("ascii").strip()


def _key_store(pki: Path, host: str, name: str, password: str) -> bytes:
    """Key, certificate and the CAs in one file (RFC 7292), as Java's and Windows' stores take it."""
    leaf, *_ = x509.load_pem_x509_certificates(leaf_file(pki, host, name, "crt").read_bytes())
    authorities = x509.load_pem_x509_certificates((pki / AUTHORITIES).read_bytes())
    key = read_key(leaf_file(pki, host, name, "key"))
    encryption = BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(name.encode(), key, leaf, authorities, encryption)


def _trust_store(pki: Path, password: str) -> bytes:
    """The CAs alone, marked as Java wants entries that it is to trust."""
    authorities = x509.load_pem_x509_certificates((pki / AUTHORITIES).read_bytes())
    entries = [
        pkcs12.PKCS12Certificate(authority, f"ca-{number}".encode())
        for number, authority in enumerate(authorities, start=1)
    ]
    return pkcs12.serialize_java_truststore(entries, BestAvailableEncryption(password.encode()))
