"""Refusals are read out of the collector's events."""

from __future__ import annotations

from typing import Any

from lab.verify.refused_packets import RefusedPacket, refused_packets

EVENT: dict[str, Any] = {
    "time": "1970-01-01T00:00:30.500Z",
    "action": "connect",
    "outcome": "refused",
    "reason": "no-flow",
    "peer": "10.24.99.11",
    "target": "10.24.60.11",
    "protocol": "tcp",
    "port": 2762,
    "source_port": 40000,
    "source_zone": "guest",
    "target_zone": "pacs-core",
}
REFUSAL = RefusedPacket("ZDENY", "guest>pacs-core", "10.24.99.11", "10.24.60.11", "tcp", 2762)


def line(program: str = "ulogd", **changes: Any) -> dict[str, Any]:
    event = {key: value for key, value in (EVENT | changes).items() if value is not None}
    return {"host": "fw1", "program": program, "message": "{}", "data": event}


def test_a_refused_packet_is_read_with_its_time() -> None:
    assert refused_packets([line()]) == {REFUSAL: 30.5}


def test_a_hosts_own_refusal_has_no_direction() -> None:
    (found,) = refused_packets([line(source_zone=None, target_zone=None)])
    assert (found.judge, found.direction) == ("HDENY", "")


def test_other_lines_are_no_refused_packets() -> None:
    text = {"program": "ulogd", "message": "ZDENY guest>pacs-core"}
    others = [line("haproxy"), line(outcome="success"), line(action="query"), line(port=None), text]
    assert refused_packets(others) == {}


def test_the_last_time_of_a_refusal_is_told() -> None:
    times = [f"1970-01-01T00:00:{second}.000Z" for second in (30, 50, 40)]
    assert refused_packets([line(time=time) for time in times]) == {REFUSAL: 50.0}
