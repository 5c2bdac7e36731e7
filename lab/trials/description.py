"""The description of a site for the trial of one role: a host that has it, and of its peers what the role must know."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
class Started:
    """A host that is started.

    Attributes:
        roles: What it is described with, and configured with.
        image: The role list of its image: one that the site has anyway, so more may be installed than is configured.
    """

    roles: tuple[str, ...]
    image: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """A site for one trial.

    Attributes:
        content: What its ``topology.yml`` says.
        subject: The host that has the role.
        started: The hosts that are started: the subject, and those whose services it cannot do without.
    """

    content: dict[str, Any]
    subject: str
    started: dict[str, Started]


def subject_of(sites: Iterable[Site], role: str) -> Subject:
    """Choose the host to try a role on.

    Raises:
        UsageError: no host of any site has the role.
    """
    found = [
        Subject(site, name, needed_roles(site, name, role), role)
        for site in sites
        for name, host in site.hosts.items()
        if role in host.roles
    ]
    if not found:
        raise UsageError(f"No host of any site has role {role}.", remedy="Give it to a host in inventories/.")
    # the site's gateway last: it stands in every zone, which most hosts do not
    return min(found, key=lambda one: (len(one.roles), one.site.hosts[one.host].gateway))


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
        offering = {one for one in roles if asked.intersection(site.catalog[one].services)}
        fresh = {one for one in roles if one in meta.after or one in offering} - needed
        needed |= fresh
        unread += fresh
    return tuple(one for one in roles if one in needed)


def _started(site: Site, host: str, roles: tuple[str, ...]) -> Started:
    all_roles = site.hosts[host].roles
    return Started(roles, tuple(all_roles[: max(map(all_roles.index, roles)) + 1]))


def describe(subject: Subject) -> Description:
    """Describe a site of one zone: the subject with the flows that it has in its own site, and who is at their ends."""
    own = _started(subject.site, subject.host, subject.roles)
    started = {subject.host: own, **dict(_needed(subject.site, subject.host, subject.roles))}
    flows = list(_flows(subject, started))
    ends = dict.fromkeys(end for flow in flows for end in (flow.source, flow.target))
    gateway = subject.site.gateway
    names = list(dict.fromkeys([subject.host, *started, *ends, gateway]))
    hosts = {name: _host(subject.site.hosts[name], started[name].roles if name in started else None) for name in names}
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
        "flows": [_flow(flow) for flow in flows],
    }
    return Description(content, subject.host, started)


def _needed(site: Site, host: str, roles: Sequence[str]) -> Iterator[tuple[str, Started]]:
    """Hosts that offer what these roles ask of others, with the roles that it takes; and theirs."""
    own = {name for role in roles for name in site.catalog[role].services}
    asked = {name for role in roles for name in site.catalog[role].asks} - own
    for flow in site.flows_out(host):
        if flow.service in asked:
            offers = next(r for r in site.hosts[flow.target].roles if flow.service in site.catalog[r].services)
            needed = needed_roles(site, flow.target, offers)
            yield flow.target, _started(site, flow.target, needed)
            yield from _needed(site, flow.target, needed)


def _flows(subject: Subject, started: dict[str, Started]) -> Iterator[ResolvedFlow]:
    """The subject's flows to and from it whose service is still offered; without any, the site's first."""
    site = subject.site
    offered = {
        host: {service for role in entry.roles for service in site.catalog[role].services}
        for host, entry in started.items()
    }
    own = [flow for flow in site.flows if subject.host in {flow.source, flow.target}]
    kept = [flow for flow in own if flow.target not in offered or flow.service in offered[flow.target]]
    if kept:
        yield from kept
        return
    yield next(flow for flow in site.flows if subject.host not in {flow.source, flow.target})


def _host(host: Host, roles: Sequence[str] | None) -> dict[str, Any]:
    content = host.model_dump(
        mode="json", exclude_none=True, exclude={"functions", "profile", "gateway", "address", "zone"}
    )
    return {**content, "zone": ZONE, "roles": list(roles or host.roles)}


def _flow(flow: ResolvedFlow) -> dict[str, Any]:
    content = {"from": flow.source, "to": flow.target, "service": flow.service, "why": flow.why}
    return {**content, "permits": list(flow.permits)} if flow.permits else content
