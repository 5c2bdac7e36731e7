"""Rules about names, roles and what roles bring together on one host."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from lab.topology.problems import choose
from lab.topology.rules.addresses import LARGEST_PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.problems import Problem
    from lab.topology.rules.draft import Draft

RESERVED = {
    "all": "Ansible's group of every host",
    "ungrouped": "Ansible's group of hosts without a group",
    "localhost": "every host's own name",
    "fabric": "the container that joins the hosts",
}
LONGEST_COMMON_NAME = 64
"""X.520 ub-common-name (RFC 5280 A.1): the DNS name is a certificate's common name."""


def site_is_named_as_its_folder(draft: Draft) -> Iterator[Problem]:
    """``--site NAME`` names the folder, and a lab is named by its site: a copied folder must not share a name."""
    path = draft.source.path.absolute()
    if path.parents[1].name == "inventories" and draft.site != path.parent.name:
        yield draft.source.problem(
            ("site",),
            f"The site is called {draft.site}, but its folder {path.parent.name}.",
            f"Write site: {path.parent.name}, or rename the folder.",
        )


def names_are_free(draft: Draft) -> Iterator[Problem]:
    """A name means one thing."""
    for name in sorted(draft.host_names):
        if name in draft.zone_names:
            line = draft.source.line(("zones", name))
            yield draft.source.problem(
                ("hosts", name), f"Host {name} has the name of a zone (line {line}).", "Rename one of the two."
            )
        if name in RESERVED:
            yield draft.source.problem(
                ("hosts", name), f"A host cannot be called {name}: that is {RESERVED[name]}.", "Rename the host."
            )


def names_fit_a_certificate(draft: Draft) -> Iterator[Problem]:
    """A host's DNS name is the common name of its certificates."""
    room = LONGEST_COMMON_NAME - len(draft.domain) - 1
    too_long = [name for name in draft.hosts if len(name) > room]
    if not too_long:
        return
    longest = max(too_long, key=len)
    yield draft.source.problem(
        ("hosts", longest) if len(too_long) < len(draft.hosts) else ("domain",),
        f"{longest}.{draft.domain} has {len(longest) + len(draft.domain) + 1} characters; a certificate's common name "
        f"has {LONGEST_COMMON_NAME} at most.",
        "Shorten the host's name or the domain.",
    )


def zones_exist(draft: Draft) -> Iterator[Problem]:
    """A host stands in a zone of the site."""
    for name, host in draft.hosts.items():
        if host.zone not in draft.zone_names:
            yield draft.source.problem(
                ("hosts", name, "zone"),
                f"{name} stands in zone {host.zone}, which does not exist.",
                choose(host.zone, draft.zone_names, "Zones"),
            )


def one_host_is_the_gateway(draft: Draft) -> Iterator[Problem]:
    """One firewall stands between the zones: without it nothing is routed, with two nobody knows which judged."""
    gateways = [name for name, host in draft.hosts.items() if host.gateway]
    if not gateways and draft.all_hosts_read:
        first = {zone.gateway for zone in draft.zones.values() if zone.subnet.prefixlen <= LARGEST_PREFIX}
        likely = [name for name, host in draft.hosts.items() if host.address in first]
        where = ("hosts", likely[0]) if likely else ("hosts",)
        at = f"{likely[0]}, which has a gateway's address" if likely else "the firewall"
        yield draft.source.problem(where, "No host is the gateway.", f"Write gateway: true at {at}.")
    for name in gateways[1:]:
        line = draft.source.line(("hosts", gateways[0], "gateway"))
        yield draft.source.problem(
            ("hosts", name, "gateway"),
            f"{name} is a second gateway; {gateways[0]} is one already (line {line}).",
            "Keep gateway: true at the firewall alone.",
        )


def ae_titles_differ(draft: Draft) -> Iterator[Problem]:
    """An AE title names one application: the DICOM edge binds it to one certificate."""
    for first, second in combinations(draft.hosts, 2):
        title = draft.hosts[second].ae_title
        if title is not None and title == draft.hosts[first].ae_title:
            line = draft.source.line(("hosts", first, "ae_title"))
            yield draft.source.problem(
                ("hosts", second, "ae_title"),
                f"{second} has AE title {title}, which {first} has too (line {line}).",
                "Give each host an AE title of its own.",
            )


def services_do_not_clash(draft: Draft) -> Iterator[Problem]:
    """On one host a service name is offered once, and a port is opened once."""
    for host in draft.hosts:
        for (role, name, service), (other_role, other_name, other) in combinations(draft.offers(host), 2):
            where = draft.role_place(host, other_role)
            if name == other_name:
                yield draft.source.problem(
                    where,
                    f"Roles {role} and {other_role} of {host} both offer service {name}.",
                    "Put the two roles on different hosts.",
                )
            elif service.port is not None and (service.port, service.protocol) == (other.port, other.protocol):
                yield draft.source.problem(
                    where,
                    f"Services {name} (role {role}) and {other_name} (role {other_role}) of {host} "
                    f"both open {service.protocol} port {service.port}.",
                    "Put the two roles on different hosts, or change a port in roles/<role>/meta/pacslab.yml.",
                )


def certificates_do_not_clash(draft: Draft) -> Iterator[Problem]:
    """Two roles of a host may share a certificate only when they mean the same one."""
    for name, host in draft.hosts.items():
        roles = [role for role in dict.fromkeys(host.roles) if role in draft.catalog]
        for first, second in combinations(roles, 2):
            ours, theirs = draft.catalog[first].certificates, draft.catalog[second].certificates
            for certificate in ours.keys() & theirs.keys():
                if ours[certificate] != theirs[certificate]:
                    yield draft.source.problem(
                        draft.role_place(name, second),
                        f"Roles {first} and {second} of {name} bring two different certificates called {certificate}.",
                        "Put the two roles on different hosts, or rename one in roles/<role>/meta/pacslab.yml.",
                    )
