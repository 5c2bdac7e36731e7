"""One change to a PKI: certificates issued and revoked under one lock, one time and one account of what was done."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.trust.authority import Authority, Wanted, new_key
from lab.trust.files import certificate_pem, key_pem, locked, make_private_folder, write_private
from lab.trust.index import Index
from lab.trust.store import ensure_lists, leaf_file, load_authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Changes:
    """What a call did: certificates as ``<host>/<certificate>``, revocation lists by file name."""

    issued: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    lists: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.issued or self.revoked or self.lists)


class Session:
    """The PKI while it is held against other drivers."""

    def __init__(self, pki: Path) -> None:
        """Read the index; ``now`` is one moment for everything that is signed."""
        self.pki = pki
        self.now = datetime.now(UTC)
        self.index = Index(pki / "index.txt")
        self.changes = Changes()

    def issue(self, issuing: Authority, host: str, name: str, wanted: Wanted) -> None:
        """Make a new key, sign its certificate and put both where the host's are kept."""
        key = new_key()
        certificate = issuing.issue(wanted, key.public_key(), self.now)
        chain = certificate_pem(certificate) + certificate_pem(issuing.certificate)
        self.index.add(f"{host}/{name}", certificate)
        # Entered before it is written: a certificate that the index does not know could never be revoked.
        self.index.save(self.now)
        make_private_folder(self.pki / "hosts")
        # The .crt last: by it a certificate counts as current.
        write_private(leaf_file(self.pki, host, name, "pem"), key_pem(key) + chain)
        write_private(leaf_file(self.pki, host, name, "key"), key_pem(key))
        write_private(leaf_file(self.pki, host, name, "crt"), chain)
        self.changes.issued.append(f"{host}/{name}")

    def revoke(self, serial: int, reason: str) -> None:
        """Revoke a certificate of the index, unless it is revoked already or not of this CA."""
        entry = self.index.get(serial)
        if entry is not None and entry.revoked is None:
            self.index.revoke(serial, reason, self.now)
            self.changes.revoked.append(entry.name)


@contextmanager
def session(pki: Path, *, create: bool = False) -> Iterator[Session]:
    """Hold the PKI; at the end, write its index and sign the CRLs that need it.

    Raises:
        TrustError: there is no PKI, and ``create`` does not allow for one to be made inside.
    """
    if not create:
        load_authority(pki, "issuing")
    with locked(pki):
        held = Session(pki)
        yield held
        held.index.save(held.now)
        held.changes.lists += ensure_lists(pki, held.index, held.now)
