"""The description of a site for the trial of one role: a host that has it, and of its peers what the role must know."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lab.topology.model import Host
    from lab.topology.site import ResolvedFlow, Site

SITE = "trial"
ZONE = "trial-net"
SUBNET = IPv4Network("192.0.2.0/24")
"""TEST-NET-1 (RFC 5737): nobody's, so a packet that leaves the lab reaches nobody."""
_FIRST_PEER = 11
_SUBJECT = 10


@dataclass(frozen=True)
class Subject:
    """The host of a site that a role is tried on: of all that have it, the one that needs the fewest roles.

    Attributes:
        site: The site that it is taken from.
        host: Its name.
        roles: Of its roles those that the one on trial comes after or asks something of, and what these come after.
        role: The role on trial.
    """

    site: Site
    host: str
    roles: tuple[str, ...]
    role: str

    @property
    def before(self) -> tuple[str, ...]:
        """The roles that are there when the trial begins."""
        return tuple(role for role in self.roles if role != self.role)


@dataclass(frozen=True)
class Description:
    """A site for one trial.

    Attributes:
        content: What its ``topology.yml`` says.
        subject: The host that has the role.
        started: Roles of each host that is started: the subject, and those whose services it cannot do without.
    """

    content: dict[str, Any]
    subject: str
    started: dict[str, tuple[str, ...]]


def subject_of(sites: Iterable[Site], role: str) -> Subject:
    """Choose the host to try a role on.

    Raises:
        UsageError: no host of any site has the role.
    """
    found = [
        Subject(site, name, needed_roles(site, name, role), role)
        for site in sites
        for name, host in site.managed.items()
        if role in host.roles
    ]
    if not found:
        raise UsageError(f"No host of any site has role {role}.", remedy="Give it to a host in inventories/.")
    return min(found, key=_fitness)


def _fitness(subject: Subject) -> tuple[int, bool, int]:
    """Few roles; not the gateway, which stands in every zone; and rather somebody whose roles let it call much."""
    flows = _kept_flows(subject, {subject.host: subject.roles})
    called = {flow.service for flow in flows if flow.source == subject.host}
    return len(subject.roles), subject.site.hosts[subject.host].gateway, -len(called)


def needed_roles(site: Site, host: str, role: str) -> tuple[str, ...]:
    """Of a host's roles this one, those it comes after, and those that offer what it asks of its own host; and theirs.

    What a role asks of a service that the host has a flow to is offered elsewhere.
    """
    roles = site.hosts[host].roles
    elsewhere = {flow.service for flow in site.flows_out(host)}
    needed, unread = {role}, [role]
    while unread:
        meta = site.catalog[unread.pop()]
        asked = set(meta.asks) - elsewhere
        offering = {entry for entry in roles if asked.intersection(site.catalog[entry].services)}
        fresh = {entry for entry in roles if entry in meta.after or entry in offering} - needed
        needed |= fresh
        unread += fresh
    return tuple(entry for entry in roles if entry in needed)


def describe(subject: Subject) -> Description:
    """Describe a site of one zone: the subject with its flows, who is at their ends, and its own site's people."""
    started = {subject.host: subject.roles, **dict(_needed(subject.site, subject.host, subject.roles))}
    flows = _flows(subject, started)
    ends = dict.fromkeys(end for flow in flows for end in (flow.source, flow.target))
    gateway = subject.site.gateway
    names = list(dict.fromkeys([subject.host, *started, *ends, gateway]))
    hosts = {name: _host(subject.site.hosts[name], started.get(name)) for name in names}
    for number, name in enumerate([name for name in names if name not in {subject.host, gateway}]):
        hosts[name]["address"] = str(SUBNET[_FIRST_PEER + number])
    hosts[subject.host]["address"] = str(SUBNET[_SUBJECT])
    hosts[gateway] |= {"address": str(SUBNET[1]), "gateway": True}
    content = {
        "site": SITE,
        "title": f"Trial of role {subject.role}",
        "domain": subject.site.topology.domain,
        "zones": {ZONE: {"vlan": 2, "subnet": str(SUBNET), "purpose": "The host on trial, and its peers"}},
        "hosts": hosts,
        "people": {name: person.model_dump(mode="json") for name, person in subject.site.topology.people.items()},
        "partners": {
            name: partner.model_dump(mode="json")
            for name, partner in subject.site.topology.partners.items()
            if partner.host in hosts
        },
        "flows": [_flow(flow) for flow in flows],
    }
    return Description(content, subject.host, started)


def _needed(site: Site, host: str, roles: Sequence[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Hosts that offer what these roles ask of others, with the roles that it takes; and theirs."""
    own = {name for role in roles for name in site.catalog[role].services}
    asked = {name for role in roles for name in site.catalog[role].asks} - own
    for flow in site.flows_out(host):
        if flow.service in asked and flow.target in site.managed:
            offers = next(r for r in site.hosts[flow.target].roles if flow.service in site.catalog[r].services)
            needed = needed_roles(site, flow.target, offers)
            yield flow.target, needed
            yield from _needed(site, flow.target, needed)


def _flows(subject: Subject, started: dict[str, tuple[str, ...]]) -> list[ResolvedFlow]:
    """The subject's flows; without any, the site's first, since a description has one at least."""
    kept = _kept_flows(subject, started)
    return kept or [next(flow for flow in subject.site.flows if subject.host not in {flow.source, flow.target})]


def _kept_flows(subject: Subject, roles: Mapping[str, Sequence[str]]) -> list[ResolvedFlow]:
    """The flows of the subject, and between these hosts, that are still described when these have these roles alone."""
    hosts = dict(subject.site.hosts)
    for name, kept in roles.items():
        hosts[name] = hosts[name].model_copy(update={"roles": list(kept)})
    own = (
        flow
        for flow in subject.site.flows
        if subject.host in {flow.source, flow.target} or {flow.source, flow.target} <= roles.keys()
    )
    return [flow for flow in own if _is_described(subject.site, hosts, flow)]


def _is_described(site: Site, hosts: Mapping[str, Host], flow: ResolvedFlow) -> bool:
    """Whether some flow of the site's description means these two hosts, and the service is offered and still asked."""
    offered = {service for role in hosts[flow.target].roles for service in site.catalog[role].services}
    asking = {role for role in site.hosts[flow.source].roles if flow.service in site.catalog[role].asks}
    if flow.service not in offered or (asking and asking.isdisjoint(hosts[flow.source].roles)):
        return False
    return any(
        written.service == flow.service
        and _is_meant(hosts[flow.source], flow.source, written.from_)
        and _is_meant(hosts[flow.target], flow.target, written.to)
        for written in site.topology.flows
    )


def _is_meant(host: Host, name: str, selector: str | list[str]) -> bool:
    return any(host.matches(name, selected) for selected in ([selector] if isinstance(selector, str) else selector))


def _host(host: Host, roles: Sequence[str] | None) -> dict[str, Any]:
    content = host.model_dump(
        mode="json", exclude_none=True, exclude={"functions", "profile", "gateway", "address", "zone", "device"}
    )
    if host.mirror is not None:
        content["mirror"] = "all"  # there is one zone, so that it has an interface and hears nothing
    return {**content, "zone": ZONE, "roles": list(roles or host.roles)}


def _flow(flow: ResolvedFlow) -> dict[str, Any]:
    content = {"from": flow.source, "to": flow.target, "service": flow.service, "why": flow.why}
    return {**content, "permits": list(flow.permits)} if flow.permits else content
