"""The page of a bundle: what whoever looks after a host has to know of the site. Everything on it is derived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.catalog import certificate_profiles
from lab.topology.peers import peers
from lab.trust.profiles import TLS_SUITES, TLS_VERSIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.topology.peers import Peer
    from lab.topology.site import Site

PAGE = "README.md"


def bundle_page(site: Site, host: str, names: list[str], status: str | None) -> str:
    """Write the page; ``names`` are the host's certificates in the bundle, ``status`` where their status is served."""
    found = [peer for peer in peers(site, host) if not _shimmed(site, host) or _is_of_the_device(peer)]
    parts = [
        f"# {host} at {site.topology.title}",
        "This page follows from the site's description. There is no DNS: names and addresses belong into /etc/hosts.",
        _itself(site, host),
        *_calls(found),
        *_called(site, found),
        *(_shim(site, host) if _shimmed(site, host) else (_tls(names, status), _files(site, host, names))),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shimmed(site: Site, host: str) -> bool:
    device = site.hosts[host].device
    return device is not None and device.shim


def _is_of_the_device(peer: Peer) -> bool:
    """Whether a flow of a host with a shim is the device's: the host's own log and certificates are none of its."""
    return peer.direction == "in" or peer.plain is not None


def _itself(site: Site, host: str) -> str:
    entry = site.hosts[host]
    zone = site.topology.zones[entry.zone]
    rows = [
        ("DNS name", site.fqdn(host)),
        ("address", f"{entry.address}/{zone.subnet.prefixlen}"),
        ("gateway", str(zone.gateway)),
        ("zone", f"{entry.zone} (VLAN {zone.vlan}): {zone.purpose}"),
        ("AE title", entry.ae_title or "none"),
        ("modality (0008,0060)", entry.modality or "none"),
        (
            "HL7 application, facility",
            f"{host.upper()}, {site.name.upper()} (MSH-3, MSH-4); peers likewise (MSH-5, MSH-6)",
        ),
    ]
    return _section("Itself", ("what", "value"), rows)


def _calls(found: list[Peer]) -> list[str]:
    out = [peer for peer in found if peer.direction == "out"]
    if not out:
        return ["## Whom it calls\n\nNobody: every connection that it opens is refused, and the refusal is logged."]
    rows = [
        (
            peer.name,
            peer.service,
            f"{peer.fqdn}<br>{peer.address}",
            f"{peer.protocol}/{peer.port}",
            peer.ae_title or "",
            ", ".join(peer.permits) or "all",
            peer.identity if peer.certificates and peer.plain is None else "",
            ", ".join(f"`{name}`" for name in peer.certificates) if peer.plain is None else "",
            peer.why,
        )
        for peer in out
    ]
    head = ("peer", "service", "name, address", "port", "AE title", "may ask", "verify", "show", "what for")
    return [_section("Whom it calls", head, rows)]


def _called(site: Site, found: list[Peer]) -> list[str]:
    into = [peer for peer in found if peer.direction == "in"]
    if not into:
        return ["## Who calls it\n\nNobody."]
    rows = [
        (
            peer.name,
            peer.service,
            f"{peer.fqdn}<br>{peer.address}",
            f"{peer.protocol}/{peer.port}",
            peer.ae_title or "",
            ", ".join(peer.permits) or "all",
            ", ".join(f"`{name}`" for name in peer.certificates),
            _shown_by(site, peer),
            peer.why,
        )
        for peer in into
    ]
    head = (
        "caller",
        "service",
        "name, address",
        "port here",
        "AE title",
        "may ask",
        "serve with",
        "they show",
        "what for",
    )
    return [_section("Who calls it", head, rows)]


def _shown_by(site: Site, peer: Peer) -> str:
    """What a caller shows: a certificate in its own name, of the profile that the service asks for."""
    profile = next(
        entry.callers
        for meta in site.catalog.values()
        for name, entry in meta.services.items()
        if name == peer.service and entry.scope == "network"
    )
    return f"CN={peer.fqdn}, OU={profile}" if profile else ""


def _shim(site: Site, host: str) -> list[str]:
    rows = [
        ("connect to", f"127.0.0.1:{port}", f"{service} of {target}")
        for (service, target), port in site.plain_ports(host).items()
    ]
    rows += [
        ("listen on", f"127.0.0.1:{service.port}", f"{name}, from whoever the flows let in")
        for name, service in site.services(host).items()
        if service.beside
    ]
    text = (
        "It knows no TLS: the shim holds keys and certificates, and shares its network. It speaks plainly, on loopback "
        "alone, with these ports; AE titles stay as they are in the tables above."
    )
    return [_section("Without TLS", ("", "port", "leads to"), rows, text)]


def _tls(names: list[str], status: str | None) -> str:
    if not names:
        return ""
    rows = [
        ("versions", ", ".join(TLS_VERSIONS)),
        ("suites", ", ".join(TLS_SUITES)),
        ("certificates", "ECDSA on P-256, of the site's issuing CA; both sides show one where the tables name one"),
        ("verify", "the chain up to `ca.crt`, and the revocation lists"),
        (
            "name",
            "in the column `verify`: no other service's certificate has it; the name that is called is there, too",
        ),
        ("sessions", "are not resumed: a revocation counts at once"),
    ]
    if status is not None:
        rows.append(("revocation", f"{status}/crl.pem, {status}/issuing.crl (DER), OCSP at {status}/ocsp"))
    return _section("TLS", ("what", "value"), rows, "As PS3.15 B.12 and BCP 195 (RFC 8996, RFC 9325) ask:")


def _files(site: Site, host: str, names: list[str]) -> str:
    usages = certificate_profiles(site.catalog)
    rows = []
    for name in names:
        profile = site.certificates(host)[name].profile
        what = f"profile {profile} ({', '.join(usages[profile].usages)})"
        rows.append(
            (f"`{name}.key` `.crt` `.pem` `.p12`", f"key; certificate with the issuing CA; both; PKCS#12: {what}")
        )
    rows += [
        ("`ca.crt`", "issuing and root CA (PEM)"),
        ("`truststore.p12`", "the same as a Java trust store (PKCS#12; `keytool -importkeystore` makes a JKS of it)"),
        ("`crl.pem` `issuing.crl` `root.crl`", "revocation lists of the day this was written (PEM; DER)"),
        ("`password.txt`", "the password of every `.p12`"),
    ]
    return _section("Files", ("file", "what"), rows)


def _section(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]], text: str = "") -> str:
    table = [head, ("---",) * len(head), *rows]
    lines = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in table]
    return "\n".join([f"## {title}", "", *([text, ""] if text else []), *lines])
