"""Forged packets are tried from every host and for every zone, and each has to be on record where it is stopped."""

from __future__ import annotations

import socket

import pytest

from lab.engine.packets import ACK, mac, tcp
from lab.topology.load import site_names
from lab.verify.forgeries import Connection, Forgery, Kind, expected_events, forged, forgeries
from lab.verify.holes import mutations
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.site_builder import committed_site

SITES = {name: committed_site(name) for name in site_names()}
REFERENCE = SITES["reference"]


@pytest.mark.parametrize("name", SITES)
def test_every_kind_is_sent_by_every_host_that_can_and_past_the_fabric_for_each_zone(name: str) -> None:
    site = SITES[name]
    collectors = {site.hosts[flow.target].zone for flow in site.flows_to("log-collection")}
    senders = {host for host, entry in site.hosts.items() if not entry.gateway and entry.zone not in collectors}
    tried = forgeries(site)
    for kind in Kind:
        assert {forgery.source for forgery in tried if forgery.kind is kind} == senders
    for kind in (Kind.SOURCE, Kind.RESET):
        past = [site.hosts[forgery.source].zone for forgery in tried if forgery.kind is kind and forgery.past_fabric]
        assert sorted(past) == sorted({site.hosts[host].zone for host in senders})


@pytest.mark.parametrize("forgery", forgeries(REFERENCE), ids=lambda forgery: f"{forgery.source} {forgery.name}")
def test_a_frame_says_what_it_claims_and_comes_from_its_own_card(forgery: Forgery) -> None:
    made = forged(REFERENCE, forgery, {forgery.connection.source: Connection(40000, 7)})
    here = str(REFERENCE.hosts[forgery.source].address)
    source, target = (socket.inet_ntoa(made.octets[start : start + 4]) for start in (26, 30))
    assert made.octets[6:12] == mac(here)
    assert (source, target) == (forgery.claims, str(REFERENCE.hosts[made.victim].address))
    assert (source == here) == (forgery.kind is Kind.ERROR)
    assert made.mark in made.octets
    assert bool(made.host) != forgery.past_fabric


def test_a_reset_has_the_number_that_its_victim_expects() -> None:
    forgery = next(forgery for forgery in forgeries(REFERENCE) if forgery.kind is Kind.RESET)
    made = forged(REFERENCE, forgery, {forgery.connection.source: Connection(40000, 7)})
    assert made.octets[34:42] == (6514).to_bytes(2, "big") + (40000).to_bytes(2, "big") + (7).to_bytes(4, "big")


def test_a_segment_of_the_connection_itself_is_not_taken_for_a_forged_one() -> None:
    forgery = next(forgery for forgery in forgeries(REFERENCE) if forgery.kind is Kind.RESET)
    made = forged(REFERENCE, forgery, {forgery.connection.source: Connection(40000, 7)})
    genuine = tcp(forgery.claims, str(REFERENCE.hosts[forgery.victim].address), (6514, 40000), ACK, 7)
    assert made.octets[34:42] == genuine[20:28]
    assert made.mark not in genuine


def test_what_the_fabric_stops_is_in_its_log_and_the_rest_in_the_firewalls() -> None:
    for forgery in forgeries(REFERENCE):
        ((host, keys),) = expected_events(REFERENCE, forgery)
        by_fabric = forgery.kind is not Kind.ERROR and not forgery.past_fabric
        assert host == ("fabric" if by_fabric else "fw1")
        assert keys["action"] == ("send-frame" if by_fabric else "connect")


def test_a_site_without_a_log_has_none_and_its_holes_are_still_proven() -> None:
    assert forgeries(tiny_site()) == []
    assert [mutation.promise for mutation in mutations(tiny_site())] == [
        "segmentation.declared",
        "segmentation.undeclared",
    ]
