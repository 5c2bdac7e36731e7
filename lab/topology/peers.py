"""Whom a host may call and who may call it, with all that the other side has to be told: derived from the flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lab.topology.site import ResolvedFlow, Site


@dataclass(frozen=True)
class Peer:
    """One flow from a host's point of view.

    Attributes:
        direction: ``out`` where the host calls, ``in`` where it is called.
        name: The other host.
        fqdn: Its DNS name.
        identity: The DNS name that is verified in the server's certificate, whichever side serves.
        address: The address from which, or at which, it speaks.
        ae_title: Its AE title, or None.
        service: The service that is opened.
        protocol: ``tcp`` or ``udp``.
        port: The port at the serving side.
        permits: What may be asked; empty where the service knows no such words.
        certificates: Names of the host's certificates that it proves itself with; none where the service asks for none.
        plain: The loopback port that leads there, where the host has such (a device that knows no TLS).
        why: What the flow is for.
    """

    direction: Literal["in", "out"]
    name: str
    fqdn: str
    identity: str
    address: str
    ae_title: str | None
    service: str
    protocol: str
    port: int
    permits: tuple[str, ...]
    certificates: tuple[str, ...]
    plain: int | None
    why: str


def peers(site: Site, host: str) -> list[Peer]:
    """Every flow of a host: those that it may open, then those that it may be opened by."""
    plain = site.plain_ports(host)
    called = [_peer(site, flow, flow.target, plain.get((flow.service, flow.target))) for flow in site.flows_out(host)]
    return called + [_peer(site, flow, flow.source, None) for flow in site.flows_in(host)]


def _peer(site: Site, flow: ResolvedFlow, other: str, plain: int | None) -> Peer:
    out = other == flow.target
    return Peer(
        direction="out" if out else "in",
        name=other,
        fqdn=site.fqdn(other),
        identity=site.identity(flow.target, flow.service),
        address=str(site.address_towards(other, flow.source if out else flow.target)),
        ae_title=site.hosts[other].ae_title,
        service=flow.service,
        protocol=flow.protocol,
        port=flow.port,
        permits=flow.permits,
        certificates=_to_call_with(site, flow) if out else _to_serve_with(site, flow),
        plain=plain,
        why=flow.why,
    )


def _to_call_with(site: Site, flow: ResolvedFlow) -> tuple[str, ...]:
    """The caller's certificates of the profile that callers of the service show."""
    profile = site.services(flow.target)[flow.service].callers
    return tuple(name for name, held in site.certificates(flow.source).items() if held.profile == profile)


def _to_serve_with(site: Site, flow: ResolvedFlow) -> tuple[str, ...]:
    """The certificates that the service's role brings to its host for servers."""
    meta = site.catalog[_offering(site, flow)]
    serving = {
        name
        for other in site.catalog.values()
        for name, profile in other.certificate_profiles.items()
        if "serverAuth" in profile.usages
    }
    return tuple(name for name, certificate in meta.certificates.items() if certificate.profile in serving)


def _offering(site: Site, flow: ResolvedFlow) -> str:
    """The role of the target that offers the flow's service."""
    return next(role for role in site.hosts[flow.target].roles if flow.service in site.catalog[role].services)
