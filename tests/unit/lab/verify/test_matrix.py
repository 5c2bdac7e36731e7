"""What verification tries, and what it expects of each attempt."""

from __future__ import annotations

from lab.results.model import Outcome
from lab.verify.judgement import DECLARED, UNDECLARED, judge, record_wanted
from lab.verify.matrix import Attempt, Judge, attempts, served, unserved
from lab.verify.refused_packets import RefusedPacket
from tests.unit.lab.verify.sites import small_site
from tests.unit.site_builder import committed_site


def one(source: str, target: str, port: int, address: str | None = None) -> Attempt:
    """The one attempt of these ends."""
    found = [
        attempt
        for attempt in attempts(small_site())
        if (attempt.source, attempt.target, attempt.port) == (source, target, port)
        and (address is None or attempt.address == address)
    ]
    assert len(found) == 1
    return found[0]


def test_only_ports_open_to_the_network_are_served() -> None:
    assert served(small_site()) == [("tcp", 2762), ("tcp", 6514)]


def test_unserved_ports_are_offered_by_no_role_even_on_loopback() -> None:
    assert unserved(small_site()) == [("tcp", 2764), ("tcp", 2765)]


def test_every_ordered_pair_is_tried_on_every_port_and_the_firewall_at_every_address() -> None:
    everything = attempts(small_site())
    pairs_without_firewall = 6 * 5 + 6
    towards_firewall = 6 * 4
    assert len(everything) == (pairs_without_firewall + towards_firewall) * 4
    assert len(set(everything)) == len(everything)


def test_a_declared_flow_is_allowed_on_its_port_alone() -> None:
    assert one("ct1", "pacs", 2762).service == "dicom-tls"
    assert not one("ct1", "pacs", 6514).allowed
    assert not one("pacs", "ct1", 2762).allowed


def test_the_firewall_judges_what_crosses_zones_and_what_is_meant_for_itself() -> None:
    assert one("guest", "pacs", 2762).judge is Judge.FIREWALL
    assert one("guest", "fw", 2762, "10.0.40.1").judge is Judge.FIREWALL
    assert one("guest", "fw", 2762, "10.0.40.1").direction == "guest>fw"


def test_within_a_zone_the_target_judges_unless_its_ports_are_isolated() -> None:
    assert one("pacs", "cache", 2762).judge is Judge.TARGET
    assert one("ct1", "ct2", 2762).judge is Judge.NOBODY


def test_the_firewall_as_a_source_is_judged_by_targets_that_send_their_log() -> None:
    assert one("fw", "pacs", 2762).judge is Judge.TARGET
    assert one("fw", "pacs", 2762).source_address == "10.0.30.1"
    assert one("fw", "guest", 2762).judge is Judge.NOBODY


def test_a_declared_flow_that_connects_is_as_declared() -> None:
    result = judge(one("ct1", "pacs", 2762), "connected", set())
    assert (result.id, result.host, result.outcome) == (DECLARED.id, "ct1", Outcome.PASSED)


def test_a_declared_flow_that_is_silent_fails() -> None:
    result = judge(one("ct1", "pacs", 2762), "timeout", set())
    assert (result.id, result.outcome) == (DECLARED.id, Outcome.FAILED)
    assert "dicom-tls" in result.expected


def test_a_hole_is_named_with_its_ends_its_port_and_its_zones() -> None:
    result = judge(one("guest", "pacs", 2762), "connected", set())
    assert (result.id, result.host, result.outcome) == (UNDECLARED.id, "guest", Outcome.FAILED)
    facts = result.facts
    assert (facts["source"], facts["target"], facts["port"], facts["zones"]) == ("guest", "pacs", 2762, "guest>archive")
    assert "to pacs (10.0.30.11) tcp/2762 guest>archive" in str(result)
    assert "observed it connected" in str(result)


def test_a_reset_is_a_hole_because_the_packet_arrived() -> None:
    attempt = one("guest", "pacs", 2764)
    wanted = record_wanted(attempt)
    assert wanted is not None
    assert judge(attempt, "refused", {wanted}).outcome is Outcome.FAILED


def test_silence_counts_only_with_the_firewalls_refusal_on_record() -> None:
    attempt = one("guest", "pacs", 2762)
    assert judge(attempt, "timeout", set()).outcome is Outcome.FAILED
    record = RefusedPacket("ZDENY", "guest>archive", "10.0.40.11", "10.0.30.11", "tcp", 2762)
    assert judge(attempt, "timeout", {record}).outcome is Outcome.PASSED


def test_a_refusal_with_the_wrong_zone_names_does_not_count() -> None:
    record = RefusedPacket("ZDENY", "guest>middle", "10.0.40.11", "10.0.30.11", "tcp", 2762)
    assert judge(one("guest", "pacs", 2762), "timeout", {record}).outcome is Outcome.FAILED


def test_isolated_neighbours_need_no_record_but_must_not_connect() -> None:
    assert judge(one("ct1", "ct2", 2762), "unreachable", set()).outcome is Outcome.PASSED
    assert judge(one("ct1", "ct2", 2762), "connected", set()).outcome is Outcome.FAILED


DEVICES = committed_site("third-party-devices")
FOREIGN = {name for name in DEVICES.hosts if name not in DEVICES.managed}


def test_devices_are_tried_and_try_as_every_host_and_the_firewall_where_it_has_a_flow() -> None:
    everything = attempts(DEVICES)
    for device in FOREIGN:
        others = set(DEVICES.hosts) - {device}
        assert {attempt.target for attempt in everything if attempt.source == device} == others
        sources = {attempt.source for attempt in everything if attempt.target == device}
        assert sources == others - {DEVICES.gateway}


def test_no_refusal_is_expected_of_a_device_which_has_no_filter_and_sends_no_log() -> None:
    assert not [attempt for attempt in attempts(DEVICES) if attempt.judge is Judge.TARGET and attempt.foreign]
    assert {attempt.judge for attempt in attempts(DEVICES) if attempt.target == "ct9" and attempt.source == "ris1"} == {
        Judge.FIREWALL
    }


def test_what_comes_back_from_a_device_where_nothing_listens_shows_that_the_flow_is_open() -> None:
    declared = next(attempt for attempt in attempts(DEVICES) if attempt.allowed and attempt.target == "ct9")
    assert judge(declared, "refused", []).outcome is Outcome.PASSED
    assert judge(declared, "timeout", []).outcome is Outcome.FAILED
    ours = next(attempt for attempt in attempts(DEVICES) if attempt.allowed and attempt.target == "pacs1")
    assert judge(ours, "refused", []).outcome is Outcome.FAILED


def test_a_reset_of_a_device_on_a_port_of_no_flow_is_a_hole() -> None:
    closed = next(attempt for attempt in attempts(DEVICES) if not attempt.allowed and attempt.target == "ct9")
    assert judge(closed, "refused", []).outcome is Outcome.FAILED
