"""SSH in a lab's PKI: an authority for hosts and one for people, hosts' certificates, and those given to people."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    SSHCertificate,
    load_ssh_private_key,
    load_ssh_public_identity,
)

from lab.errors import UsageError
from lab.state_file import read_bytes, read_json
from lab.trust.envelope import ensure_sealed
from lab.trust.files import TrustError, locked, write_private
from lab.trust.krl import revocation_list
from lab.trust.profiles import LEAF_LIFETIME, RENEW_BEFORE
from lab.trust.ssh_authority import LONGEST_GRANT, SshAuthority, new_key, new_serial, private_key

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from lab.topology.site import Site
    from lab.trust.session import Session
    from lab.trust.ssh_authority import Grant

HOSTS, USERS = "ssh-hosts", "ssh-users"
"""The authorities: what one of them has signed, nobody takes for the other's."""
REVOKED, ISSUED = "ssh-revoked", "ssh-issued.json"
KEPT = timedelta(days=30)
"""How long a certificate that was given to a person stays on the list after its end."""
LONGEST_WORDS = 120
"""Characters of a person's name or reason, which stand in every host's log."""
_REBUILD = "Put the file back, or remove it: 'pacslab up' makes a new authority and brings it to every host."


@dataclass(frozen=True)
class Issued:
    """A certificate that was given to a person; times in seconds since 1970."""

    serial: int
    person: str
    reason: str
    principals: list[str]
    sources: list[str]
    at: float
    until: float
    revoked: float | None = None


def certificate_file(pki: Path, host: str) -> Path:
    """Where a host's certificate is; its key is beside it."""
    return pki / "hosts" / host / "ssh-cert.pub"


def key_file(pki: Path, host: str) -> Path:
    """Where a host's key is."""
    return pki / "hosts" / host / "ssh.key"


def ensure_ssh(site: Site, change: Session) -> None:
    """Make the authorities, and a certificate for each host that is administered over SSH; what is right stays.

    Raises:
        TrustError: an authority's file is damaged.
    """
    hosts = site.providers("administration")
    if not hosts:
        return
    authority = _ensure_authority(site, change, HOSTS)
    users = _ensure_authority(site, change, USERS)
    if not (change.pki / REVOKED).exists():
        write_private(change.pki / REVOKED, revocation_list(users.line(), (), change.now))
    ensure_sealed(change.pki, used=bool(site.administrators), now=change.now)
    for host in hosts:
        names = (site.fqdn(host), host, str(site.hosts[host].address))
        if not _is_met(change, host, names, authority):
            key = new_key()
            signed = authority.host_certificate(key.public_key(), names, change.now, LEAF_LIFETIME)
            write_private(key_file(change.pki, host), private_key(key))
            write_private(certificate_file(change.pki, host), signed + f" {names[0]}\n".encode())
            change.changes.issued.append(f"{host}/ssh")


def load_ssh_authority(pki: Path, name: str) -> SshAuthority:
    """Return the authority of hosts or of users.

    Raises:
        TrustError: there is none, or its file is damaged.
    """
    path = pki / f"{name}.key"
    try:
        key = load_ssh_private_key(read_bytes(path, remedy=_REBUILD), password=None)
    except (OSError, ValueError) as error:
        raise TrustError(f"{path} cannot be read as an SSH key: {error}", remedy=_REBUILD) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise TrustError(f"{path} is no Ed25519 key", remedy=_REBUILD)
    public = read_bytes(pki / f"{name}.pub", remedy=_REBUILD).decode("utf-8", "replace")
    return SshAuthority(key, public.partition(" ")[2].partition(" ")[2].strip())


def give(pki: Path, key: Ed25519PublicKey, grant: Grant, now: datetime | None = None) -> tuple[bytes, Issued]:
    """Give a person a certificate for their key, and enter it in the list of those that were given.

    Who the person is was found out before: this is where whatever proves that hands over.

    Raises:
        UsageError: it would be good for too long or not at all, or its words are too many.
        TrustError: the lab has no SSH authority.
    """
    if not timedelta(0) < grant.lifetime <= LONGEST_GRANT:
        raise UsageError(
            f"A certificate cannot last {grant.lifetime}.",
            remedy=f"It may last a minute to {LONGEST_GRANT.total_seconds() / 3600:.0f} hours.",
        )
    for words in (grant.person, grant.reason):
        if not words.strip() or len(words) > LONGEST_WORDS or not words.isprintable():
            raise UsageError(
                f"{words[:LONGEST_WORDS]!r} cannot stand in a host's log.",
                remedy=f"Say who and why in {LONGEST_WORDS} characters each, on one line.",
            )
    moment = now or datetime.now(UTC)
    with locked(pki):
        authority, entries = load_ssh_authority(pki, USERS), issued(pki)
        entry = Issued(
            new_serial(),
            grant.person,
            grant.reason,
            list(grant.principals),
            list(grant.sources),
            moment.timestamp(),
            (moment + grant.lifetime).timestamp(),
        )
        certificate = authority.user_certificate(key, grant, entry.serial, moment)
        fresh = [former for former in entries if former.until > (moment - KEPT).timestamp()]
        _write(pki, [*fresh, entry])
    return certificate + b"\n", entry


def issued(pki: Path) -> list[Issued]:
    """The certificates that were given to people lately, in that order.

    Raises:
        DamagedFileError: the list is not what was written.
    """
    try:
        return read_json(
            pki / ISSUED, list[Issued], remedy="Put the file back, or remove it: nothing can be revoked then."
        )
    except FileNotFoundError:
        return []


def revoke_ssh(pki: Path, serial: int, now: datetime | None = None) -> Issued:
    """Enter a certificate in the list of revoked ones; hosts refuse it once they have that list.

    Raises:
        UsageError: none of this number was given lately.
        TrustError: the lab has no SSH authority.
    """
    moment = now or datetime.now(UTC)
    with locked(pki):
        entries = issued(pki)
        found = next((entry for entry in entries if entry.serial == serial), None)
        if found is None:
            raise UsageError(
                f"No certificate of number {serial} was given lately.", remedy="'pacslab ssh --list' shows all."
            )
        if found.revoked is None:
            found = replace(found, revoked=moment.timestamp())
            _write(pki, [found if entry.serial == serial else entry for entry in entries])
        users = load_ssh_authority(pki, USERS)
        serials = [entry.serial for entry in issued(pki) if entry.revoked is not None]
        write_private(pki / REVOKED, revocation_list(users.line(), serials, moment))
    return found


def _write(pki: Path, entries: list[Issued]) -> None:
    write_private(pki / ISSUED, (json.dumps([asdict(entry) for entry in entries], indent=1) + "\n").encode())


def _ensure_authority(site: Site, change: Session, name: str) -> SshAuthority:
    public = change.pki / f"{name}.pub"
    if not public.exists():
        made = SshAuthority(new_key(), f"{site.name} {name}")
        write_private(change.pki / f"{name}.key", private_key(made.key))
        write_private(
            public, made.line().encode() + b"\n"
        )  # last: while it is missing, a start that was cut off begins again
    return load_ssh_authority(change.pki, name)


def _is_met(change: Session, host: str, names: tuple[str, ...], authority: SshAuthority) -> bool:
    """Whether a host's certificate is there, of this authority, for these names, and good for a while."""
    if not key_file(change.pki, host).exists():
        return False
    try:
        present = load_ssh_public_identity(read_bytes(certificate_file(change.pki, host), remedy=_REBUILD))
    except (FileNotFoundError, ValueError):
        return False
    return (
        isinstance(present, SSHCertificate)
        and [name.decode() for name in present.valid_principals] == list(names)
        and present.signature_key().public_bytes_raw() == authority.key.public_key().public_bytes_raw()  # type: ignore[union-attr] # ours are Ed25519
        and present.valid_before - change.now.timestamp() > RENEW_BEFORE.total_seconds()
    )
