"""Refusals are read out of the collector's lines."""

from __future__ import annotations

import json

from lab.verify.refused_packets import RefusedPacket, refused_packets

PACKET = {
    "oob.prefix": "ZDENY guest>pacs-core",
    "src_ip": "10.24.99.11",
    "dest_ip": "10.24.60.11",
    "ip.protocol": 6,
    "src_port": 40000,
    "dest_port": 2762,
}
REFUSAL = RefusedPacket("ZDENY", "guest>pacs-core", "10.24.99.11", "10.24.60.11", "tcp", 2762)


def test_a_packet_record_is_read() -> None:
    assert set(refused_packets([PACKET])) == {REFUSAL}


def test_a_packet_record_inside_a_log_line_is_read() -> None:
    assert refused_packets([{"host": "fw1", "program": "ulogd", "message": f" {json.dumps(PACKET)}"}]) == {REFUSAL: 0.0}


def test_a_hosts_own_refusal_has_no_direction() -> None:
    (found,) = refused_packets([{**PACKET, "oob.prefix": "HDENY "}])
    assert (found.judge, found.direction) == ("HDENY", "")


def test_other_lines_are_no_refusals() -> None:
    assert refused_packets([{"message": "ZDENY guest>pacs-core"}, {**PACKET, "oob.prefix": "ACCEPT"}, {}]) == {}


def test_a_damaged_record_is_left_out() -> None:
    assert refused_packets([{"message": 'x "oob.prefix" {broken'}]) == {}


def test_the_last_time_of_a_refusal_is_told() -> None:
    packets = [{**PACKET, "oob.time.sec": second} for second in (30, 50, 40)]
    assert refused_packets(packets) == {REFUSAL: 50.0}
