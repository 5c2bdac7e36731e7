"""Rules about flows: who may open which service to whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lab.topology.catalog import network_services, vocabularies
from lab.topology.problems import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.model import Flow
    from lab.topology.problems import Problem
    from lab.topology.role import Service
    from lab.topology.rules.draft import Draft

SIDES: tuple[Literal["from", "to"], ...] = ("from", "to")


def selectors_match(draft: Draft) -> Iterator[Problem]:
    """Each selector of a flow matches at least one host."""
    for number, flow in draft.flows.items():
        for side in SIDES:
            written = _side(flow, side)
            for position, selector in enumerate(_listed(written)):
                where = ("flows", number, side) if isinstance(written, str) else ("flows", number, side, position)
                mistake = _selector_mistake(draft, selector)
                if mistake:
                    yield draft.source.problem(where, *mistake)


def services_are_offered(draft: Draft) -> Iterator[Problem]:
    """Every target of a flow offers its service, on a port of the network."""
    for number, flow in draft.flows.items():
        where = ("flows", number, "service")
        lacking = []
        for target in draft.select(flow.to):
            offered = {name: service for _, name, service in draft.offers(target)}
            if flow.service in offered:
                mistake = _not_reachable(flow.service, offered[flow.service])
                if mistake:
                    yield draft.source.problem(where, f"{mistake} on {target}.", _offers(draft, [target], flow.service))
            elif draft.roles_known(target):
                lacking.append(target)
        if lacking:
            verb = "does" if len(lacking) == 1 else "do"
            yield draft.source.problem(
                where,
                f"{', '.join(lacking)} {verb} not offer {flow.service}: no role brings it.",
                _offers(draft, lacking, flow.service),
            )


def permits_are_known(draft: Draft) -> Iterator[Problem]:
    """Inside a connection only what the service knows can be permitted, and something must be."""
    known = vocabularies(draft.catalog)
    for number, flow in draft.flows.items():
        where = ("flows", number, "permits")
        vocabulary = known.get(flow.service)
        if vocabulary is None:
            if flow.permits:
                yield draft.source.problem(
                    where,
                    f"{flow.service} is allowed as a whole: it knows no permits.",
                    f"Remove permits; it belongs to {', '.join(known)}.",
                )
            continue
        if not flow.permits:
            yield draft.source.problem(
                ("flows", number),
                f"This flow of {flow.service} permits nothing: every request inside it would be refused.",
                f"Add permits. {vocabulary.advice()}",
            )
        for position, word in enumerate(flow.permits):
            if not vocabulary.knows(word):
                remedy = choose(word, vocabulary.words, "Known here") if vocabulary.words else vocabulary.advice()
                yield draft.source.problem(
                    (*where, position), f"{word} is nothing that {flow.service} can permit.", remedy
                )


def dicom_needs_ae_titles(draft: Draft) -> Iterator[Problem]:
    """Both sides of a DICOM association have an AE title (PS3.8 9.3.2)."""
    services = network_services(draft.catalog)
    for number, flow in draft.flows.items():
        service = services.get(flow.service)
        if service is None or not service.ae_titles:
            continue
        for side in SIDES:
            for name in draft.select(_side(flow, side)):
                if draft.hosts[name].ae_title is None:
                    yield draft.source.problem(
                        ("flows", number, side),
                        f"{name} takes part in a flow of {flow.service} and has no AE title.",
                        f"Write ae_title at host {name} (line {draft.source.line(('hosts', name))}), "
                        f"or take {name} out of the flow.",
                    )


def somebody_is_connected(draft: Draft) -> Iterator[Problem]:
    """A flow joins two different hosts, and never two hosts of a zone whose ports are isolated."""
    for number, flow in draft.flows.items():
        sources, targets = draft.select(flow.from_), draft.select(flow.to)
        if sources and sources == targets and len(sources) == 1:
            yield draft.source.problem(
                ("flows", number),
                f"This flow joins {sources[0]} to itself alone.",
                "Remove it: services of one host reach each other on its loopback.",
            )
        for source in sources:
            for target in targets:
                if source != target and _kept_apart(draft, source, target):
                    zone = draft.hosts[target].zone
                    yield draft.source.problem(
                        ("flows", number),
                        f"{source} cannot reach {target}: both stand in zone {zone}, whose ports are isolated.",
                        f"Take one of them out of the flow, or move it to another zone, or clear isolated at {zone} "
                        f"(line {draft.source.line(('zones', zone, 'isolated'))}).",
                    )


def _kept_apart(draft: Draft, source: str, target: str) -> bool:
    one, two = draft.hosts[source], draft.hosts[target]
    zone = draft.zones.get(one.zone)
    return zone is not None and zone.isolated and one.zone == two.zone and not (one.gateway or two.gateway)


def _selector_mistake(draft: Draft, selector: str) -> tuple[str, str] | None:
    """Return message and remedy when a selector matches nobody."""
    kind, _, value = selector.rpartition(":")
    if kind == "zone":
        return _zone_mistake(draft, selector, value)
    if kind == "function":
        stated = {function for host in draft.hosts.values() for function in host.functions}
        known = value in stated or not draft.all_hosts_read
        return None if known else (f"No host has function {value}.", choose(value, stated, "Functions in use"))
    if kind == "role":
        used = {role for host in draft.hosts.values() for role in host.roles}
        known = value in used or not draft.all_hosts_read
        return None if known else (f"No host has role {value}.", choose(value, used, "Roles in use"))
    return None if value in draft.host_names else _host_mistake(draft, value)


def _zone_mistake(draft: Draft, selector: str, zone: str) -> tuple[str, str] | None:
    if zone not in draft.zone_names:
        return f"Zone {zone} does not exist.", choose(zone, draft.zone_names, "Zones")
    if draft.all_hosts_read and not draft.select(selector):
        return f"Nobody stands in zone {zone}.", "Put a host into it, or remove the selector."
    return None


def _host_mistake(draft: Draft, name: str) -> tuple[str, str]:
    if name in draft.zone_names:
        return f"{name} is a zone, not a host.", f"Write zone:{name} to mean every host in it."
    if name in draft.role_names:
        return f"{name} is a role, not a host.", f"Write role:{name} to mean every host that has it."
    return f"Host {name} does not exist.", choose(name, draft.host_names, "Hosts")


def _not_reachable(name: str, service: Service) -> str | None:
    if service.port is None:
        return f"Service {name} has no port that could be opened"
    if service.scope == "loopback":
        return f"Service {name} listens on the loopback alone"
    return None


def _offers(draft: Draft, targets: list[str], wrong: str) -> str:
    """List what the targets offer to the network."""
    offered = {
        name
        for target in targets
        for _, name, service in draft.offers(target)
        if service.port is not None and service.scope == "network"
    }
    return choose(wrong, offered - {wrong}, f"Offered by {', '.join(targets)}")


def _side(flow: Flow, side: Literal["from", "to"]) -> str | list[str]:
    return flow.from_ if side == "from" else flow.to


def _listed(selector: str | list[str]) -> list[str]:
    return [selector] if isinstance(selector, str) else selector
