"""Names and time come from where they should: the site's own list, and no question to anybody outside."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from lab.verify.hardening.declare import Sabotage, has_role, promise
from lab.verify.hardening.facts import program
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

HOSTS = "cat -- /etc/hosts"
FARTHEST = 2.0
"""Seconds between the host's clock and the judge's; TLS, logs and Kerberos stand on it (IHE CT: one second)."""
OUTSIDE = "outside.example.org"
NO_ERROR, REFUSED = 0, 5  # RFC 1035 4.1.1
ADDRESSES = "ip -4 -oneline address show"
ROUTES = "ip -4 route show"


def hosts(target: Target) -> Iterable[tuple[str, tuple[str, str]]]:
    return [(name, (target.site.fqdn(name), str(entry.address))) for name, entry in target.site.hosts.items()]


@promise(
    "hardening.names.hosts",
    "Every host of the site is known by name at its described address.",
    remedy="`systemctl restart pacslab-hosts`; `pacslab up` after a change of the description.",
    each=hosts,
    reads=(HOSTS,),
    sabotage=Sabotage(
        lambda target: (
            f"sed 's/^{target.value[1]} /203.0.113.7 /' /etc/hosts >/run/hosts && cp /etc/hosts /run/hosts.kept"
            " && cat /run/hosts >/etc/hosts"
        ),
        "cat /run/hosts.kept >/etc/hosts; rm -f /run/hosts /run/hosts.kept",
        also=("hardening.databases.own", "hardening.databases.refused", "hardening.names.*"),
    ),
)
def test_every_host_is_known(host: Host, subject: tuple[str, str], expect: Expect) -> None:
    name, address = subject
    lines = [line.split() for line in str(host.check_output(HOSTS)).splitlines()]
    expect.equal([address], [fields[0] for fields in lines if name in fields[1:]], name)


@promise(
    "hardening.names.order",
    "A name is looked up in the site's list first, and a name server can never overrule it.",
    remedy="Let hosts say `files dns` in /etc/nsswitch.conf.",
    sabotage=changed_file("/etc/nsswitch.conf", "sed -i 's/^hosts:.*/hosts: dns files/' $FILE"),
)
def test_the_sites_list_comes_first(host: Host, expect: Expect) -> None:
    lines = host.file("/etc/nsswitch.conf").content_string.splitlines()
    found = [line.split()[1:] for line in lines if line.startswith("hosts:")]
    expect.some(found, "line for hosts")
    expect.equal("files", found[-1][0], "first source")


@promise(
    "hardening.names.servers",
    "No name server outside the host is asked.",
    remedy="Let /etc/resolv.conf name 127.0.0.1, where nothing answers, or a server of the site.",
    sabotage=Sabotage(
        "cp /etc/resolv.conf /run/resolv.kept && echo 'nameserver 203.0.113.53' >>/etc/resolv.conf",
        "cat /run/resolv.kept >/etc/resolv.conf",
    ),
)
def test_no_server_outside_is_asked(host: Host, target: Target, expect: Expect) -> None:
    lines = [line.split() for line in host.file("/etc/resolv.conf").content_string.splitlines()]
    servers = [fields[1] for fields in lines if fields[:1] == ["nameserver"]]
    own = {str(entry.address) for entry in target.site.hosts.values()}
    expect.only({"127.0.0.1", "::1", *own}, servers, "name servers")


def first_asked(target: Target) -> list[tuple[str, str]]:
    """Of the name servers that the host's flows lead to the first, with its address."""
    flows = [flow for flow in target.site.flows_out(target.host) if flow.service == "dns"]
    return [(flow.target, str(target.site.hosts[flow.target].address)) for flow in flows[:1]]


def resolving(target: Target) -> str:
    """The command that asks the host's name servers for every host of the site, and for a name outside."""
    return program("dns_questions", OUTSIDE, *(target.site.fqdn(name) for name in target.site.hosts))


def serving(target: Target) -> str:
    """The command that asks the name server on the host itself."""
    return program("dns_questions", f"@{target.entry.address}", OUTSIDE, target.site.fqdn(target.host))


@promise(
    "hardening.names.answers",
    "A host that may ask the site's name server does, and it knows every host at its described address.",
    remedy="`pacslab status` of the name server's host; `systemctl restart pacslab-hosts` on this one.",
    each=first_asked,
    reads=(resolving,),
    sabotage=Sabotage(
        "cp /etc/resolv.conf /run/resolv.kept"
        " && sed 's/^nameserver .*/nameserver 127.0.0.1/' /run/resolv.kept >/etc/resolv.conf",
        "cat /run/resolv.kept >/etc/resolv.conf",
    ),
)
def test_the_sites_name_server_knows_every_host(host: Host, target: Target, subject: str, expect: Expect) -> None:
    found = json.loads(host.check_output(resolving(target)))
    expect.equal(subject, found["server"], "name server")
    for name, entry in target.site.hosts.items():
        answer = found["answers"][target.site.fqdn(name)]
        expect.equal({"code": NO_ERROR, "addresses": [str(entry.address)]}, answer, name)


@promise(
    "hardening.names.closed",
    "The site's name server answers for the site's names alone, and asks nobody else.",
    remedy="Restore /etc/nsd/nsd.conf: `pacslab up --again`.",
    where=has_role("name_server"),
    reads=(serving,),
    sabotage=changed_file(
        "/etc/nsd/nsd.conf",
        "printf 'zone:\\n    name: \"org\"\\n    zonefile: domain.zone\\n' >>$FILE",
        then="systemctl restart nsd",
        also=("hardening.*",),
    ),
)
def test_the_name_server_knows_no_name_outside(host: Host, target: Target, expect: Expect) -> None:
    found = json.loads(host.check_output(serving(target)))["answers"]
    expect.equal(NO_ERROR, found[target.site.fqdn(target.host)]["code"], "answer to a name of the site")
    expect.equal(REFUSED, found[OUTSIDE]["code"], "answer to a name outside")


@promise(
    "hardening.names.own",
    "The host is called as it is described.",
    remedy="`hostnamectl hostname`.",
    sabotage=Sabotage(
        "cp /etc/hostname /run/hostname.kept && echo other >/etc/hostname", "cat /run/hostname.kept >/etc/hostname"
    ),
)
def test_the_host_has_its_name(host: Host, target: Target, expect: Expect) -> None:
    expect.equal(target.host, host.file("/etc/hostname").content_string.strip().partition(".")[0])


@promise(
    "hardening.names.addresses",
    "The host has its described addresses, and no others.",
    remedy="`pacslab up` joins the host to its zone again.",
    reads=(ADDRESSES,),
    sabotage=Sabotage("ip address add 203.0.113.66/32 dev lo", "ip address del 203.0.113.66/32 dev lo"),
)
def test_the_host_has_its_addresses(host: Host, target: Target, expect: Expect) -> None:
    wanted = {f"{entry.address}/{entry.prefix}" for entry in target.site.interfaces(target.host)} | {"127.0.0.1/8"}
    found = [line.split()[3] for line in str(host.check_output(ADDRESSES)).splitlines()]
    expect.all_of(sorted(wanted), found, "addresses")
    expect.only(wanted, found, "addresses")


@promise(
    "hardening.names.routes",
    "The host's only way out of its zone is the firewall; the firewall itself has none out of the site.",
    remedy="`systemctl restart pacslab-network`, or `pacslab up`.",
    reads=(ROUTES,),
    sabotage=Sabotage("ip route add 203.0.113.0/24 dev lo", "ip route del 203.0.113.0/24 dev lo"),
)
def test_the_firewall_is_the_only_way_out(host: Host, target: Target, expect: Expect) -> None:
    site, entry = target.site, target.entry
    zones = [str(site.topology.zones[interface.zone].subnet) for interface in site.interfaces(target.host)]
    gateway = [] if entry.gateway else [f"default via {site.topology.zones[entry.zone].gateway}"]
    found = [line.strip() for line in str(host.check_output(ROUTES)).splitlines()]
    odd = [line for line in found if not line.startswith((*zones, *gateway))]
    expect.none(odd, "other routes")
    if gateway:
        expect.that(any(line.startswith(gateway[0]) for line in found), gateway[0], "no such route")


@promise(
    "hardening.names.time",
    "The host's clock is right within two seconds.",
    remedy="A container has its machine's clock; on a machine of its own, see its time service.",
    sabotage=Sabotage(
        "printf '#!/bin/sh\\necho 1000000000.0\\n' >/usr/local/bin/date && chmod 755 /usr/local/bin/date",
        "rm -f /usr/local/bin/date",
        also=("hardening.certificates.*",),
    ),
)
def test_the_clock_is_right(host: Host, expect: Expect) -> None:
    before = time.time()
    told = float(host.check_output("date +%s.%N"))
    after = time.time()
    expect.that(before - FARTHEST <= told <= after + FARTHEST, f"within {FARTHEST:g} s", f"{told - after:+.1f} s")
