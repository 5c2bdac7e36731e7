"""A lab's PKI: the certificates its site wants, kept as the description says."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.topology.catalog import certificate_profiles
from lab.trust.authority import Authority, Wanted
from lab.trust.files import certificate_pem, key_pem, write_private
from lab.trust.index import REASONS, Index
from lab.trust.profiles import ISSUING_LIFETIME, RENEW_BEFORE, ROOT_LIFETIME
from lab.trust.session import Changes, Session, session
from lab.trust.ssh import ensure_ssh
from lab.trust.store import current, leaf_file, load_authority, pki_folder

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lab.topology.site import Site


@dataclass(frozen=True)
class Held:
    """A certificate that a host holds; ``state`` is good, revoked or expired."""

    host: str
    name: str
    profile: str
    serial: int
    expires: datetime
    state: str


def status_url(site: Site) -> str | None:
    """Return the base URL of the host that publishes certificate status, or None where the site has none."""
    hosts = site.providers("certificate-status")
    return f"http://{site.fqdn(hosts[0])}" if hosts else None


def organization(site: Site) -> str:
    """Return the organization (O) of the site's certificates: its title, as far as RFC 5280 A.1 lets it in."""
    return site.topology.title[:64]


def site_wanted(site: Site, host: str, profile: str) -> Wanted:
    """Return what a certificate of this host and profile shall say."""
    usages = tuple(certificate_profiles(site.catalog)[profile].usages)
    names = tuple(site.names(host, profile))
    return Wanted(site.fqdn(host), profile, usages, organization(site), status_url(site), names)


def ensure_pki(site: Site, folder: Path) -> Changes:
    """Make the PKI below the lab's folder what the site needs; what is right already is left alone.

    New hosts and services get certificates, hosts that are administered over SSH one for that too. One that says
    something else than the description now does, or that belongs to a host or service no longer described, is revoked;
    one that (nearly) expired is replaced. A revoked one stays as it is until :func:`rotate`. CRLs are signed again when
    something was revoked or less than half of their time is left.

    Raises:
        TrustError: files of an earlier PKI are damaged.
    """
    pki = pki_folder(folder)
    wanted = {
        (host, name): site_wanted(site, host, certificate.profile)
        for host in site.hosts
        for name, certificate in site.certificates(host).items()
    }
    with session(pki, create=True) as change:
        _ensure_authorities(site, change)
        issuing = load_authority(pki, "issuing")
        _withdraw_removed(change, site, wanted.keys())
        for (host, name), leaf in wanted.items():
            present = current(pki, host, name)
            if present is not None and not leaf.is_met_by(present):
                change.revoke(present.serial_number, "affiliationChanged")
                present = None
            if present is None or present.not_valid_after_utc - change.now < RENEW_BEFORE:
                change.issue(issuing, host, name, leaf)
        ensure_ssh(site, change)
    return change.changes


def revoke(folder: Path, host: str, name: str, reason: str = "keyCompromise") -> Changes:
    """Revoke the certificate a host holds under a name, and sign a CRL that says so.

    The host keeps its files: that a revoked certificate no longer works is for its peers to enforce.

    Raises:
        UsageError: there is no such certificate, or no such reason.
        TrustError: the lab has no PKI, or its files are damaged.
    """
    if reason not in REASONS:
        raise UsageError(f"'{reason}' is no reason to revoke", remedy=f"Use one of: {', '.join(REASONS)}.")
    pki = pki_folder(folder)
    with session(pki) as change:
        present = current(pki, host, name)
        if present is None:
            raise no_certificate(host, name)
        change.revoke(present.serial_number, reason)
    return change.changes


def rotate(site: Site, folder: Path, host: str, names: Iterable[str] = ()) -> Changes:
    """Give a host new keys and certificates: those named, or all that it has.

    The old ones stay good until :func:`retire`, so that the host works on while the new ones are brought to it.

    Raises:
        UsageError: the host has no certificate of that name.
        TrustError: the lab has no PKI, or its files are damaged.
    """
    pki = pki_folder(folder)
    described = site.certificates(host) if host in site.hosts else {}
    chosen = list(names) or list(described)
    for name in chosen:
        if name not in described:
            raise no_certificate(host, name)
    if not chosen:
        raise no_certificate(host, "any")
    with session(pki) as change:
        issuing = load_authority(pki, "issuing")
        for name in chosen:
            change.issue(issuing, host, name, site_wanted(site, host, described[name].profile))
    return change.changes


def retire(folder: Path, host: str) -> Changes:
    """Revoke, as superseded, every good certificate of a host that is not the one it now holds.

    Raises:
        TrustError: the lab has no PKI, or its files are damaged.
    """
    pki = pki_folder(folder)
    with session(pki) as change:
        for entry in change.index.good(change.now):
            owner, _, name = entry.name.partition("/")
            if owner != host:
                continue
            present = current(pki, owner, name)
            if present is None or present.serial_number != entry.serial:
                change.revoke(entry.serial, "superseded")
    return change.changes


def held(site: Site, folder: Path) -> list[Held]:
    """Return the certificates that the site's hosts hold, in the order of the description."""
    pki = pki_folder(folder)
    now = datetime.now(UTC)
    index = Index(pki / "index.txt")
    found = []
    for host in site.hosts:
        for name, described in site.certificates(host).items():
            certificate = current(pki, host, name)
            if certificate is None:
                continue
            entry = index.get(certificate.serial_number)
            state = "expired" if certificate.not_valid_after_utc <= now else "good"
            if entry is None or entry.revoked is not None:
                state = "revoked"
            found.append(
                Held(host, name, described.profile, certificate.serial_number, certificate.not_valid_after_utc, state)
            )
    return found


def _ensure_authorities(site: Site, change: Session) -> None:
    if (change.pki / "ca.crt").exists():
        return
    title = organization(site)
    root = Authority.self_signed(f"{site.name} root CA", title, change.now, ROOT_LIFETIME)
    issuing = root.subordinate(f"{site.name} issuing CA", title, change.now, ISSUING_LIFETIME, status_url(site))
    for name, authority in (("root", root), ("issuing", issuing)):
        write_private(change.pki / f"{name}.key", key_pem(authority.key))
        write_private(change.pki / f"{name}.crt", certificate_pem(authority.certificate))
    # Written last: while it is missing, a start that was cut off begins again.
    write_private(change.pki / "ca.crt", certificate_pem(issuing.certificate) + certificate_pem(root.certificate))


def _withdraw_removed(change: Session, site: Site, described: Iterable[tuple[str, str]]) -> None:
    known = {f"{host}/{name}" for host, name in described}
    for entry in change.index.good(change.now):
        if entry.name not in known:
            change.revoke(entry.serial, "cessationOfOperation")
            host, _, name = entry.name.partition("/")
            for suffix in ("key", "crt", "pem"):
                leaf_file(change.pki, host, name, suffix).unlink(missing_ok=True)
    for folder in (change.pki / "hosts").glob("*"):
        if folder.name not in site.hosts:
            shutil.rmtree(folder)


def no_certificate(host: str, name: str) -> UsageError:
    """Return the error of a name that no certificate of the host has."""
    return UsageError(
        f"host '{host}' has no certificate '{name}'", remedy="'pacslab pki list' shows every host's certificates."
    )
