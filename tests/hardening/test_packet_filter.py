"""The packet filter in force accepts what the flows declare, and refuses and logs the rest."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.verify.hardening.declare import Sabotage, promise
from lab.verify.hardening.facts import RULESET, ruleset
from lab.verify.hardening.sabotages import changed_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from testinfra.host import Host

    from lab.topology.site import ResolvedFlow, Site
    from lab.verify.hardening.declare import Target
    from lab.verify.hardening.expect import Expect

READS = (RULESET,)
RELOAD = "systemctl reload nftables"
SETS = {"accepted", "own_flows", "flows"}
"""Named sets that hold the declared flows."""
TRACKED = -200
"""The priority at which connections are looked for (NF_IP_PRI_CONNTRACK)."""
WATCHED = ("hardening.packet-filter.*",)


def gateway(target: Target) -> bool:
    return target.entry.gateway


def other(target: Target) -> bool:
    return not target.entry.gateway


def gateway_of(target: Target) -> str | None:
    """The only one whose error messages a host takes; the firewall has none."""
    return None if target.entry.gateway else str(target.site.topology.zones[target.entry.zone].gateway)


def of_kind(rules: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [entry[kind] for entry in rules if kind in entry]


def base_chains(target: Target) -> Iterable[tuple[str, str]]:
    del target
    return [(chain, chain) for chain in ("input", "forward")]


def elements(rules: list[dict[str, Any]], name: str) -> set[tuple[Any, ...]]:
    """What a set holds: concatenated values, without comments."""
    found = set()
    for entry in of_kind(rules, "set"):
        if entry["name"] == name:
            for element in entry.get("elem", []):
                value = element["elem"]["val"] if isinstance(element, dict) and "elem" in element else element
                found.add(tuple(value["concat"]) if isinstance(value, dict) else (value,))
    return found


def matches(rule: dict[str, Any]) -> list[dict[str, Any]]:
    return [part["match"] for part in rule["expr"] if "match" in part]


def guarded(rule: dict[str, Any]) -> bool:
    """Whether a rule is about the declared flows alone."""
    rights = [match["right"] for match in matches(rule)]
    return any(isinstance(right, str) and right[:1] == "@" and right[1:] in SETS for right in rights)


def targets_of(part: Any) -> set[str]:
    """The chains that a rule goes on in."""
    if isinstance(part, dict):
        found = {
            entry["target"] for name, entry in part.items() if name in {"goto", "jump"} and isinstance(entry, dict)
        }
        return found.union(*(targets_of(value) for value in part.values()))
    return set().union(*(targets_of(entry) for entry in part)) if isinstance(part, list) else set()


def open_chains(rules: list[dict[str, Any]]) -> set[str]:
    """The chains that a packet of no declared flow comes through, on its way in or from zone to zone."""
    found = {chain["name"] for chain in of_kind(rules, "chain") if chain.get("hook") in {"input", "forward"}}
    while True:
        more = {
            name
            for rule in of_kind(rules, "rule")
            if rule["chain"] in found and not guarded(rule)
            for name in targets_of(rule["expr"])
        }
        if more <= found:
            return found
        found |= more


def declared_in(target: Target) -> Iterable[tuple[str, tuple[str, str, int]]]:
    """Flows to the host, as (source address, protocol, port)."""
    site = target.site
    return [
        (
            f"{flow.source}: {flow.service}",
            (str(site.address_towards(flow.source, target.host)), flow.protocol, flow.port),
        )
        for flow in site.flows_in(target.host)
    ]


def undeclared(target: Target) -> str:
    """An element of the set of flows that nobody declares; the addresses are of RFC 5737."""
    return f'"{target.site.interfaces(target.host)[0].name}" . 203.0.113.9 . 203.0.113.10 . tcp . 22'


def through(target: Target) -> Iterable[tuple[str, tuple[str, str, str, str, int]]]:
    """Flows between zones, as (interface, source, target, protocol, port)."""
    site, own = target.site, target.host
    return [
        (f"{flow.source} to {flow.target}: {flow.service}", as_element(site, flow))
        for flow in site.flows
        if own not in (flow.source, flow.target) and site.hosts[flow.source].zone != site.hosts[flow.target].zone
    ]


def as_element(site: Site, flow: ResolvedFlow) -> tuple[str, str, str, str, int]:
    """A flow as (interface, source, target, protocol, port)."""
    source, destination = site.hosts[flow.source], site.hosts[flow.target]
    interface = f"vlan{site.topology.zones[source.zone].vlan}"
    return (interface, str(source.address), str(destination.address), flow.protocol, flow.port)


ADD = "nft add element inet filter {set} '{{ {element} }}'"


@promise(
    "hardening.packet-filter.default-deny",
    "What no rule accepts is dropped: coming in, and passing through.",
    remedy=f"`{RELOAD}` restores the described rules.",
    each=base_chains,
    reads=READS,
    sabotage=Sabotage(
        lambda target: f"nft 'chain inet filter {target.value} {{ policy accept; }}'",
        lambda target: f"nft 'chain inet filter {target.value} {{ policy drop; }}'",
        also=WATCHED,
    ),
)
def test_what_no_rule_accepts_is_dropped(host: Host, subject: str, expect: Expect) -> None:
    found = [chain for chain in of_kind(ruleset(host), "chain") if chain.get("hook") == subject]
    expect.some(found, f"chain at hook {subject}")
    expect.equal({"drop"}, {chain["policy"] for chain in found}, "policy")


@promise(
    "hardening.packet-filter.accepts",
    "No rule accepts anything but loopback, replies, the router's error messages, and the sets of declared flows.",
    remedy=f"Find the rule with `nft -a list ruleset`; `{RELOAD}` restores the described rules.",
    reads=READS,
    sabotage=Sabotage("nft insert rule inet filter input tcp dport 22 accept", RELOAD, also=WATCHED),
)
def test_no_rule_accepts_anything_else(host: Host, target: Target, expect: Expect) -> None:
    odd, chains = [], open_chains(ruleset(host))
    for rule in of_kind(ruleset(host), "rule"):
        if rule["chain"] not in chains or not any("accept" in part for part in rule["expr"]):
            continue
        rights = [match["right"] for match in matches(rule)]
        loopback = rights == ["lo"]
        states = [match["right"] for match in matches(rule) if match["left"].get("ct", {}).get("key") == "state"]
        replies = states == ["established"] or (states == ["related"] and rights[1:2] == [gateway_of(target)])
        management = rule.get("comment") == "management" and any("payload" in match["left"] for match in matches(rule))
        if not (loopback or replies or guarded(rule) or management):
            odd.append(f"{rule['chain']}: {json.dumps(rule['expr'])[:120]}")
    expect.none(odd, "rules that accept more")
    expect.some(of_kind(ruleset(host), "rule"), f"rules on {target.host}")


@promise(
    "hardening.packet-filter.sets",
    "The set of accepted connections holds the declared flows to this host, and no others.",
    remedy=f"`{RELOAD}`, or `pacslab up` after a change of the description.",
    where=other,
    reads=READS,
    sabotage=Sabotage(
        "nft add element inet filter accepted '{ 203.0.113.9 . tcp . 22 }'",
        "nft delete element inet filter accepted '{ 203.0.113.9 . tcp . 22 }'",
        also=WATCHED,
    ),
)
def test_the_set_holds_the_declared_flows_alone(host: Host, target: Target, expect: Expect) -> None:
    wanted = {flow for _, flow in declared_in(target)}
    found = elements(ruleset(host), "accepted")
    expect.equal(sorted(wanted, key=str), sorted(found, key=str), "accepted")


@promise(
    "hardening.packet-filter.declared",
    "Every flow to this host that the description declares is accepted from its source.",
    remedy=f"`{RELOAD}`, or `pacslab up` after a change of the description.",
    where=other,
    each=declared_in,
    reads=READS,
    sabotage=Sabotage(
        lambda target: "nft delete element inet filter accepted '{{ {} . {} . {} }}'".format(*target.value),
        RELOAD,
        also=WATCHED,
    ),
)
def test_every_declared_flow_is_accepted(host: Host, subject: tuple[str, str, int], expect: Expect) -> None:
    expect.that(subject in elements(ruleset(host), "accepted"), f"{subject} accepted", "not in the set")


@promise(
    "hardening.packet-filter.through",
    "The firewall's set of flows between zones holds each declared flow.",
    remedy=f"`{RELOAD}` on the firewall, or `pacslab up` after a change of the description.",
    where=gateway,
    each=through,
    reads=READS,
    sabotage=Sabotage(
        lambda target: "nft delete element inet filter flows '{{ \"{}\" . {} . {} . {} . {} }}'".format(*target.value),
        RELOAD,
        also=WATCHED,
    ),
)
def test_every_flow_between_zones_passes(host: Host, subject: tuple[str, str, str, str, int], expect: Expect) -> None:
    expect.that(subject in elements(ruleset(host), "flows"), f"{subject} passes", "not in the set")


@promise(
    "hardening.packet-filter.through-only",
    "The firewall's set of flows between zones holds nothing but the declared flows.",
    remedy=f"`{RELOAD}` on the firewall.",
    where=gateway,
    reads=READS,
    sabotage=Sabotage(
        lambda target: f"nft add element inet filter flows '{{ {undeclared(target)} }}'",
        lambda target: f"nft delete element inet filter flows '{{ {undeclared(target)} }}'",
        also=("hardening.packet-filter.as-loaded",),
    ),
)
def test_nothing_else_passes_between_zones(host: Host, target: Target, expect: Expect) -> None:
    wanted = {flow for _, flow in through(target)}
    expect.only(wanted, sorted(elements(ruleset(host), "flows"), key=str), "flows between zones")


@promise(
    "hardening.packet-filter.to-firewall",
    "The firewall itself accepts the declared flows to it at one of its addresses, and nothing else.",
    remedy=f"`{RELOAD}` on the firewall, or `pacslab up` after a change of the description.",
    where=gateway,
    reads=READS,
    sabotage=Sabotage(
        lambda target: f"nft add element inet filter own_flows '{{ {undeclared(target)} }}'",
        lambda target: f"nft delete element inet filter own_flows '{{ {undeclared(target)} }}'",
        also=("hardening.packet-filter.as-loaded",),
    ),
)
def test_the_firewall_accepts_its_own_flows_only(host: Host, target: Target, expect: Expect) -> None:
    wanted = {as_element(target.site, flow) for flow in target.site.flows_in(target.host)}
    found = elements(ruleset(host), "own_flows")
    expect.only(wanted, sorted(found, key=str), "flows to the firewall")
    expect.all_of(sorted(wanted, key=str), found, "declared flows to the firewall")


@promise(
    "hardening.packet-filter.logged",
    "What is refused is logged before it is dropped.",
    remedy=f"`{RELOAD}` restores the described rules.",
    reads=READS,
    sabotage=Sabotage(
        # the described rules without their log statements
        'mkdir -p /run/quiet && for f in /etc/nftables.d/*.nft; do sed -E \'s/log prefix "[^"]*" group 1//\' $f'
        " >/run/quiet/${f##*/}; done && sed 's,/etc/nftables.d,/run/quiet,' /etc/nftables.conf >/run/quiet.conf"
        " && nft -f /run/quiet.conf",
        RELOAD,
        also=WATCHED,
    ),
)
def test_what_is_refused_is_logged(host: Host, expect: Expect) -> None:
    logging = [part["log"] for rule in of_kind(ruleset(host), "rule") for part in rule["expr"] if part.get("log")]
    expect.some(logging, "rules that log")
    prefixes = {entry.get("prefix", "").split(" ")[0] for entry in logging}
    expect.that(
        prefixes <= {"HDENY", "LDENY", "ZDENY", "ZFORGED"} and all("group" in entry for entry in logging),
        "refusals go to a log group as HDENY, LDENY, ZDENY or ZFORGED",
        f"{sorted(prefixes)}",
    )


@promise(
    "hardening.packet-filter.invalid",
    "Packets that belong to no connection are dropped, and IPv6 is not let in.",
    remedy=f"`{RELOAD}` restores the described rules.",
    where=other,
    reads=READS,
    sabotage=Sabotage(
        "h=$(nft -a list chain inet filter input | sed -n 's/.*ct state invalid.*handle //p');"
        " nft delete rule inet filter input handle $h",
        RELOAD,
        also=WATCHED,
    ),
)
def test_invalid_packets_are_dropped(host: Host, expect: Expect) -> None:
    rules = [rule for rule in of_kind(ruleset(host), "rule") if any("drop" in part for part in rule["expr"])]
    rights = [match["right"] for rule in rules for match in matches(rule)]
    expect.that("invalid" in rights, "a rule that drops invalid packets", "none")
    expect.that("ipv6" in rights, "a rule that drops IPv6", "none")


def reverse_paths(rules: list[dict[str, Any]]) -> list[str]:
    """The chains in which it is asked where a source lies."""
    asked = {"fib": {"result": "oif", "flags": ["saddr", "iif"]}}
    return [
        rule["chain"]
        for rule in of_kind(rules, "rule")
        if any(match["left"] == asked and match["right"] is False for match in matches(rule))
    ]


@promise(
    "hardening.packet-filter.reverse-path",
    "A packet whose source does not lie where it comes from is refused before a connection is looked for.",
    remedy=f"`{RELOAD}` on the firewall.",
    where=gateway,
    reads=READS,
    sabotage=Sabotage("nft flush chain inet filter arrive", RELOAD, also=WATCHED),
)
def test_the_source_of_a_packet_lies_where_it_comes_from(host: Host, expect: Expect) -> None:
    first = {
        chain["name"]
        for chain in of_kind(ruleset(host), "chain")
        if chain.get("hook") == "prerouting" and chain["prio"] < TRACKED
    }
    expect.some(first & set(reverse_paths(ruleset(host))), "a look at the reverse path before connections")


@promise(
    "hardening.packet-filter.limits",
    "A limit is charged to the network card that a packet comes from, so that nobody uses up another's.",
    remedy=f"`{RELOAD}` on the firewall.",
    where=gateway,
    reads=READS,
    sabotage=Sabotage(
        "nft 'add set inet filter by_address { typeof ip saddr; flags dynamic; }' && nft 'add rule inet filter zones"
        " update @by_address { ip saddr limit rate over 5/second } drop'",
        RELOAD,
        also=WATCHED,
    ),
)
def test_limits_are_charged_to_cards(host: Host, expect: Expect) -> None:
    chains = {rule["chain"] for rule in of_kind(ruleset(host), "rule") if guarded(rule)}
    judging = {name for rule in of_kind(ruleset(host), "rule") if guarded(rule) for name in targets_of(rule["expr"])}
    keys = [
        part["set"]["elem"]["concat"] if "concat" in part["set"]["elem"] else [part["set"]["elem"]]
        for rule in of_kind(ruleset(host), "rule")
        if rule["chain"] in judging | chains
        for part in rule["expr"]
        if "set" in part
    ]
    expect.some(keys, "limits of flows")
    card = {"payload": {"protocol": "ether", "field": "saddr"}}
    expect.none([json.dumps(key) for key in keys if card not in key], "limits that are charged to an address alone")


@promise(
    "hardening.packet-filter.at-boot",
    "The filter that a boot loads is closed by itself, and replaces whatever was there.",
    remedy="Restore /etc/nftables.conf.",
    sabotage=changed_file("/etc/nftables.conf", "sed -i 's/policy drop/policy accept/' $FILE"),
)
def test_the_filter_of_a_boot_is_closed(host: Host, expect: Expect) -> None:
    text = host.file("/etc/nftables.conf").content_string
    expect.that("flush ruleset" in text, "flush ruleset", "it is missing")
    expect.equal(2, text.count("policy drop"), "chains with policy drop")
    expect.equal(0, text.count("policy accept"), "chains with policy accept")


def believing(target: Target) -> Iterable[tuple[str, int]]:
    """The ports on which services of the host believe whom they serve."""
    return [(f"{name} {port}", port) for name, port in target.site.believing(target.host)]


OPENING = "setpriv --reuid=65534 --regid=65534 --clear-groups timeout 5 bash -c 'exec 3<>/dev/tcp/%s/%s' 2>&1"
"""Over loopback, at the loopback address or at the host's own: a service listens at one of them, or at both."""


@promise(
    "hardening.packet-filter.loopback",
    "No account opens a service over loopback but those whose programs ask for it.",
    remedy=f"`{RELOAD}` restores the described rules.",
    each=believing,
    reads=READS,
    sabotage=Sabotage("nft flush chain inet filter loopback", RELOAD, also=WATCHED),
)
def test_nobody_else_opens_a_service_over_loopback(host: Host, target: Target, subject: int, expect: Expect) -> None:
    services = {port: name.split()[0] for name, port in believing(target)}
    wanted = set(target.site.local_callers(target.host, services[subject]))
    rules = ruleset(host)
    callers = {account for port, account in elements(rules, "loopback_callers") if port == subject}
    expect.equal(len(wanted), len(callers), "accounts that may")
    for address in ("127.0.0.1", str(target.entry.address)):
        done = host.run(OPENING, address, str(subject))
        expect.that(done.rc != 0 and "refused" in done.stdout, "a refusal", done.stdout.strip()[-120:] or "it was open")


@promise(
    "hardening.packet-filter.as-loaded",
    "Nobody has changed the filter by hand since it was loaded.",
    remedy=f"`{RELOAD}` restores the described rules.",
    reads=("/usr/local/lib/pacslab/filter check",),
    sabotage=Sabotage("nft add rule inet filter input counter", RELOAD, also=WATCHED),
)
def test_the_filter_is_as_it_was_loaded(host: Host, expect: Expect) -> None:
    done = host.run("/usr/local/lib/pacslab/filter check")
    expect.that(done.rc == 0, "the filter as it was loaded", (done.stdout + done.stderr).strip()[-200:])
