"""Packets in the name of others, and error messages with a load: past the isolation of ports, or past the firewall."""

from __future__ import annotations

import secrets
from functools import partial
from typing import TYPE_CHECKING, Final

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.failure import AttemptError, require
from lab.abuse.forgery import FABRIC, NeighbourAsked, PortsOpened, address, announce, put
from lab.abuse.misuse import misuse
from lab.abuse.model import AbuseCase
from lab.abuse.parties import DICOM, flows, visitor_at_archive
from lab.abuse.sights import names_of
from lab.abuse.weakening import FilterRule, on_gateway
from lab.engine.forging import next_number
from lab.engine.packets import RST, SYN, tcp, unreachable
from lab.hospital.log_connection import log_port

if TYPE_CHECKING:
    from lab.abuse.scene import Scene
    from lab.topology.site import Site

LOG: Final = "log-collection"
TRIES = 4
"""Resets that are sent at most: the victim goes on speaking, and one whose number is used up is no longer taken."""


def neighbours_at_archive(site: Site) -> Parties:
    """Two scanners of one zone that store in one archive: the first speaks in the other's name.

    Raises:
        PartyMissingError: the site has no such three.
    """
    for flow in flows(site, DICOM, "C-STORE", "N-ACTION"):
        for other in flows(site, DICOM, "C-STORE", "N-ACTION", to=flow.target):
            if flow.source != other.source and site.hosts[flow.source].zone == site.hosts[other.source].zone:
                return Parties(flow.source, flow.target, other.source)
    raise PartyMissingError("the site has no two scanners in one zone that store in one archive")


def visitor_and_logger(site: Site) -> Parties:
    """A host without flows, and a scanner of another zone whose log connection it attacks.

    Raises:
        PartyMissingError: the site has no such two.
    """
    visitor, scanner = visitor_at_archive(site).source, visitor_at_archive(site).other
    if not any(flow.source == scanner for flow in site.flows_to(LOG)):
        raise PartyMissingError("the site has no scanner that sends its log")
    return Parties(visitor, scanner)


def _open_connection(scene: Scene) -> tuple[str, int, int]:
    """The victim's connection to the log: the collector's address and port, and the victim's own port.

    Raises:
        AttemptError: it has none.
    """
    victim = scene.parties.target
    flow = next(flow for flow in scene.site.flows_to(LOG) if flow.source == victim)
    there = address(scene.site, flow.target)
    port = log_port(scene.lab, flow)
    if port is None:
        raise AttemptError(f"{victim} has no connection to {flow.target}.", remedy="See its log-forwarding.")
    return there, flow.port, port


def _in_neighbours_name(scene: Scene) -> Tried:
    """The beginning of a connection to the archive in the neighbour's name."""
    site, parties = scene.site, scene.parties
    port = site.services(parties.target)[DICOM].port or 0
    ends = address(site, parties.other), address(site, parties.target)
    packet = tcp(*ends, (1 + secrets.randbelow(1023), port), SYN, secrets.randbits(32))
    return put(scene, packet, parties.target, packet[20:36])


def _reset(scene: Scene) -> Tried:
    """A reset of the victim's connection that its own system would take, in the collector's name, past the fabric."""
    victim = scene.parties.target
    for _ in range(TRIES):
        there, port, own = _open_connection(scene)
        speak = partial(scene.hospital.run, victim, ["logger", "trial"])
        number = next_number(scene.lab, victim, own, (there, port), speak)
        packet = tcp(there, address(scene.site, victim), (port, own), RST, number)
        tried = put(scene, packet, victim, packet[20:36], past_fabric=True)
        if not tried.refused:
            break
    return tried


def _error(scene: Scene) -> Tried:
    """An error message about the victim's connection, with a load, in the visitor's own name."""
    there, port, own = _open_connection(scene)
    victim, load = address(scene.site, scene.parties.target), secrets.token_bytes(32)
    about = tcp(victim, there, (own, port), SYN)
    packet = unreachable(address(scene.site, scene.parties.source), victim, about, load)
    return put(scene, packet, scene.parties.target, load)


def _at_port(scene: Scene) -> Evidence:
    """The line of the source's port: who sends, and in whose name."""
    about = frozenset({scene.parties.source}), frozenset({address(scene.site, scene.parties.other)})
    return Evidence(FABRIC, "foreign-frame", about=about)


def _at_firewall(reason: str, scene: Scene) -> Evidence:
    """The firewall's line: from which zone, and for whom."""
    about = frozenset({scene.site.hosts[scene.parties.source].zone}), names_of(scene, scene.parties.target)
    return Evidence(scene.site.gateway, reason, about=about)


def _arrived(scene: Scene, tried: Tried) -> str:
    """Harm: it was taken off the victim's cable."""
    words = f"{scene.parties.target} was sent what {scene.parties.source} made up"
    return words if tried.facts.get("arrived") else ""


def _fooled(scene: Scene, tried: Tried) -> str:
    """Harm: what is for the neighbour goes to the source."""
    del scene
    return "" if tried.refused else f"{tried.detail}: {tried.facts['believed']}"


def _neighbour_served(scene: Scene, _: Tried) -> str:
    """Unharmed: the archive answers the neighbour.

    Raises:
        NotAsPromised: it does not.
    """
    target, other = scene.parties.target, scene.parties.other
    answer = misuse(scene, other, "dicom-control")
    require(not answer.refused, f"afterwards {target} refuses {other}: {answer.detail}")
    return f"{target} still answers {other}"


def _still_logs(scene: Scene, _: Tried) -> str:
    """Unharmed: the victim's next line arrives.

    Raises:
        NotAsPromised: it does not.
    """
    victim, text = scene.parties.target, f"control-{scene.token}-{scene.number()}"
    scene.hospital.run(victim, ["logger", "--tag", "trial", text])
    kept = scene.eventually(lambda: scene.hospital.collected.has(victim, "trial", text), timeout=20.0)
    require(kept, f"afterwards the log lacks what {victim} says")
    return f"the log has what {victim} says"


_NEIGHBOUR = partial(AbuseCase, parties=neighbours_at_archive, evidence=_at_port, unharmed=_neighbour_served)
_VISITOR = partial(AbuseCase, parties=visitor_and_logger, harm=_arrived, unharmed=_still_logs)

CASES = (
    _NEIGHBOUR(
        "abuse.network-neighbours-name",
        "Network: a scanner opens a connection in its neighbour's name",
        attempt=_in_neighbours_name,
        harm=_arrived,
        control="each port of the network takes its own host's MAC and address alone",
        weakenings=(PortsOpened(),),
    ),
    _NEIGHBOUR(
        "abuse.network-neighbours-place",
        "Network: a scanner tells the firewall that its neighbour's address is at its own card (ARP)",
        attempt=lambda scene: announce(scene, scene.parties.other),
        harm=_fooled,
        control="each port announces its own host's address alone, and the firewall's neighbours are set for good",
        weakenings=(PortsOpened(), NeighbourAsked()),
    ),
    _VISITOR(
        "abuse.network-forged-reset",
        "Network: a visitor's packet resets a scanner's connection in the name of its server",
        attempt=_reset,
        evidence=partial(_at_firewall, "forged-source"),
        control="the firewall looks whether a source lies where a packet comes from, before it looks for a connection",
        weakenings=(
            FilterRule(
                "the firewall takes every source from everywhere", "arrive", lambda *_: "accept", where=on_gateway
            ),
        ),
    ),
    _VISITOR(
        "abuse.network-error-message",
        "Network: a visitor sends a scanner what it likes, as an error message about an open connection",
        attempt=_error,
        evidence=partial(_at_firewall, "no-flow"),
        control="of error messages none passes between the zones",
        weakenings=(
            FilterRule(
                "the firewall lets through what is related to a connection",
                "forward",
                lambda *_: "ct state related accept",
                where=on_gateway,
            ),
        ),
    ),
)
