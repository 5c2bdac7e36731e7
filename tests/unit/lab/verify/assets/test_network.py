"""Hosts are found at their ports and addresses in a network of the kernel's; so are strangers, and who is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.engine.fabric import bridge_name, port_owners, wanted_network
from lab.results.model import Outcome
from lab.settings import ROOT
from lab.verify.assets.answers import LARGEST, judge_host, task_of
from lab.verify.assets.answers import judge_others as judge_other_answers
from lab.verify.assets.finding import event_of
from lab.verify.assets.neighbours import judge_zone
from lab.verify.assets.ports import judge_others, judge_port, switch
from simulators.events.actions import ACTIONS
from simulators.events.keys import FIXED
from tests.unit.lab.engine.namespaces import unshared
from tests.unit.lab.trust.sites import tiny_site

if TYPE_CHECKING:
    from lab.results.model import Result

PROGRAM = ROOT / "tests/unit/lab/verify/assets/network_trial.py"
SITE = tiny_site()
ZONE = SITE.hosts["ct1"].zone
STRANGER = "10.0.20.66"
OWNERS = {owner.host: owner for owner in port_owners(SITE) if not owner.gateway}


class SomeLab:
    """What judging needs of a lab."""

    name, site = "tiny", SITE


LAB: Any = SomeLab()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is read of a network as described, of one with a stranger, and of one with a host that is silent."""
    wanted = wanted_network(SITE, dict.fromkeys(SITE.hosts, 0))
    return unshared(
        PROGRAM,
        {
            "state": str(tmp_path_factory.mktemp("state")),
            "wanted": wanted,
            "gateway": SITE.gateway,
            "ask": [task_of(SITE, interface) for interface in SITE.interfaces(SITE.gateway)],
            "stranger": {"bridge": bridge_name(SITE.topology.zones[ZONE].vlan), "address": f"{STRANGER}/24"},
            "silenced": OWNERS["ct2"].port,
        },
    )


def by_zone(answers: dict[str, dict[str, list[str]]]) -> dict[str, dict[str, list[str]]]:
    return {found.zone: answers[found.name] for found in SITE.interfaces(SITE.gateway)}


def failures(results: list[Result]) -> list[Result]:
    assert all(result.observations[0].text for result in results)
    return [result for result in results if result.outcome is not Outcome.PASSED]


def answer_results(read: dict[str, Any]) -> list[Result]:
    answers = by_zone(read["answers"])
    hosts = [judge_host(SITE, host, answers[entry.zone]) for host, entry in SITE.hosts.items() if not entry.gateway]
    return [*hosts, *(judge_other_answers(LAB, zone, answers[zone]) for zone in SITE.topology.zones)]


def port_results(read: dict[str, Any]) -> list[Result]:
    found = switch(SITE, read["links"], read["table"])
    owners = port_owners(SITE)
    return [
        *(judge_port(SITE, owner, found) for owner in owners),
        *judge_others(LAB, found, [owner.port for owner in owners]),
    ]


def test_a_network_as_described_has_every_host_and_nobody_else(seen: dict[str, Any]) -> None:
    assert failures(answer_results(seen)) == []
    assert failures(port_results(seen)) == []
    heard = switch(SITE, seen["links"], seen["table"]).heard
    assert heard[OWNERS["ct1"].port] == {OWNERS["ct1"].mac}, "the switch has heard who answered"


def test_somebody_who_plugs_in_is_found_by_port_and_by_address(seen: dict[str, Any]) -> None:
    (answer,) = failures(answer_results(seen["strange"]))
    assert (answer.host, answer.subject) == ("tiny", f"zone {ZONE}")
    assert STRANGER in answer.observed
    assert answer.facts["reason"] == "undeclared-asset"
    (port,) = failures(port_results(seen["strange"]))
    assert (port.subject, port.observed) == (f"zone {ZONE}", "strange0")
    assert port.facts["fabric_port"] == "strange0"


def test_a_host_that_does_not_answer_is_missing_and_no_other(seen: dict[str, Any]) -> None:
    (answer,) = failures(answer_results(seen["silent"]))
    assert (answer.host, answer.observed, answer.facts["reason"]) == ("ct2", "no answer", "missing-asset")
    assert failures(port_results(seen["silent"])) == []


def test_an_address_that_two_cards_answer_for_has_changed() -> None:
    own = OWNERS["ct1"]
    result = judge_host(SITE, "ct1", {str(own.address): [own.mac, "02:00:5e:00:53:01"]})
    assert (result.outcome, result.facts["reason"]) == (Outcome.FAILED, "changed-asset")


def test_a_port_that_is_gone_or_elsewhere_or_has_a_second_card_is_told(seen: dict[str, Any]) -> None:
    owner = OWNERS["ct1"]
    links = [link for link in seen["links"] if link["ifname"] != owner.port]
    (moved,) = [{**link, "master": "br10"} for link in seen["links"] if link["ifname"] == owner.port]
    heard = [*seen["table"], {"mac": "02:00:5e:00:53:01", "ifname": owner.port, "master": "br20", "state": ""}]
    for read, reason, observed in (
        ({"links": links, "table": []}, "missing-asset", "no such port"),
        ({"links": [*links, moved], "table": []}, "changed-asset", "in zone core"),
        ({"links": seen["links"], "table": heard}, "changed-asset", "also heard 02:00:5e:00:53:01"),
    ):
        result = judge_port(SITE, owner, switch(SITE, read["links"], read["table"]))
        assert (result.outcome, result.facts["reason"], result.observed) == (Outcome.FAILED, reason, observed)


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([], None),
        ([{"dst": "10.0.20.11", "dev": "vlan20", "lladdr": "02:00:0a:00:14:0b", "state": ["PERMANENT"]}], None),
        ([{"dst": "10.0.20.66", "dev": "vlan20", "state": ["FAILED"]}], None),
        ([{"dst": "10.0.10.66", "dev": "vlan10", "lladdr": "02:00:5e:00:53:01", "state": ["STALE"]}], None),
        (
            [{"dst": "10.0.20.66", "dev": "vlan20", "lladdr": "02:00:5e:00:53:01", "state": ["STALE"]}],
            "undeclared-asset",
        ),
        (
            [{"dst": "10.0.20.11", "dev": "vlan20", "lladdr": "02:00:5e:00:53:01", "state": ["PERMANENT"]}],
            "changed-asset",
        ),
        (
            [{"dst": "10.0.10.12", "dev": "vlan20", "lladdr": "02:00:0a:00:0a:0c", "state": ["REACHABLE"]}],
            "undeclared-asset",
        ),
    ],
)
def test_neighbours_are_the_zones_hosts_by_their_own_cards(entries: list[dict[str, Any]], reason: str | None) -> None:
    interface = next(found for found in SITE.interfaces(SITE.gateway) if found.zone == ZONE)
    result = judge_zone(SITE, interface, entries)
    assert result.outcome is (Outcome.FAILED if reason else Outcome.PASSED)
    assert result.facts.get("reason") == reason


def test_of_a_zone_that_is_too_large_the_described_are_asked_alone() -> None:
    small = SITE.interfaces(SITE.gateway)[0]
    task = task_of(SITE, small)
    assert len(task["targets"]) == 253 < LARGEST
    assert set(task["wanted"]) <= set(task["targets"])
    assert str(small.address) not in task["targets"]


def test_what_is_otherwise_becomes_an_event_of_the_table_and_what_is_as_described_none(seen: dict[str, Any]) -> None:
    results = [*answer_results(seen["strange"]), *port_results(seen["strange"]), *answer_results(seen["silent"])]
    events = [event for result in results if (event := event_of(result)) is not None]
    assert len(events) == len(failures(results)) > 0
    for event in events:
        assert event.keys() <= {*FIXED, *ACTIONS["find-asset"].facts}
