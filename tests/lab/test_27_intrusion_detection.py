"""Who watches the network hears what is said in clear and what a neighbour tries; an examination raises no alert."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from lab.deadline import wait_until
from lab.hospital.detections import Detections
from lab.verify.captures.messages import ASSOCIATE_RQ, associate, hl7
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lab.engine.lab import Lab

RULE = "network-sensor-found"
"""What the repository makes of an alert of the network's witness."""
HEARD_WITHIN = 60.0
CALL = """\
import base64, socket, sys
with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5) as called:
    called.sendall(base64.b64decode(sys.argv[3]))
    called.settimeout(1)
    try:
        called.recv(1)
    except OSError:
        pass
"""
SCAN = """\
import socket, sys
for port in range(20001, 20001 + int(sys.argv[2])):
    with socket.socket() as called:
        called.settimeout(0.05)
        called.connect_ex((sys.argv[1], port))
"""
MANY = 25
"""Ports that a neighbour tries: more than the witness lets pass."""


@pytest.fixture(scope="module")
def detections(clone: Lab) -> Detections:
    """The judge of a lab that a witness watches, and that reads what the witness tells."""
    if all(host.mirror is None for host in clone.site.hosts.values()):
        pytest.skip("no host of this lab's site watches the network")
    found = Detections(clone)
    if not found.takes_lines:
        pytest.skip(f"{found.host} does not read what the witness tells (siem_lines)")
    return found


def raised(detections: Detections, since: datetime, word: str, by: str) -> Callable[[], bool]:
    """Whether an alert is there of what one of the witness's rules found, about what an address did."""

    def is_there() -> bool:
        shown = [
            event.fields for alert in detections.alerts(since, RULE) for event in detections.evidence(alert, since)
        ]
        return any(event.get("event.reason") == word and event.get("source.ip") == by for event in shown)

    return is_there


@pytest.mark.parametrize(
    ("word", "said"),
    [("dicom-in-clear", associate(ASSOCIATE_RQ, "PACSRAD", "CT1")), ("hl7-in-clear", hl7())],
    ids=["dicom", "hl7"],
)
def test_what_is_said_in_clear_on_the_wire_is_an_alert(
    clone: Lab, detections: Detections, word: str, said: bytes
) -> None:
    watched = {zone for host in clone.site.hosts for zone in clone.site.mirrored(host)}
    flow = next(
        flow for flow in clone.site.flows
        if flow.protocol == "tcp" and {flow.source, flow.target} <= clone.site.managed.keys()
        and clone.site.hosts[flow.source].zone in watched and flow.service == "syslog-tls"
        and not clone.site.hosts[flow.source].gateway
    )  # fmt: skip
    since, target = detections.now(), str(clone.site.hosts[flow.target].address)
    words = [target, str(flow.port), base64.b64encode(said).decode()]
    done = clone.run(flow.source, ["python3", "-I", "-c", CALL, *words])
    assert done.code == 0, done.stderr
    by = str(clone.site.address_towards(flow.source, flow.target))
    assert wait_until(raised(detections, since, word, by), HEARD_WITHIN, 1)
    told = succeed("alerts", "--since", since.isoformat(), "--rule", RULE, "--json", "--lab", clone.name).json
    assert told


def test_a_neighbour_who_tries_ports_is_seen_within_the_zone(clone: Lab, detections: Detections) -> None:
    """No packet of it passes the firewall."""
    site, zones = clone.site, clone.site.topology.zones
    one, other = next(
        (one, other) for one in site.managed for other in site.managed
        if one != other and site.hosts[one].zone == site.hosts[other].zone and not zones[site.hosts[one].zone].isolated
        and not site.hosts[one].gateway and not site.hosts[other].gateway and site.hosts[one].roles[-1] != "scanner"
    )  # fmt: skip
    since = detections.now()
    done = clone.run(one, ["python3", "-I", "-c", SCAN, str(site.hosts[other].address), str(MANY)], timeout=60)
    assert done.code == 0, done.stderr
    assert wait_until(raised(detections, since, "scan-ports", str(site.hosts[one].address)), HEARD_WITHIN, 1)


@pytest.mark.night
def test_an_examination_from_order_to_report_raises_no_alert(clone: Lab, detections: Detections) -> None:
    if not any("order-filler" in host.functions for host in clone.site.hosts.values()):
        pytest.skip("nobody is examined at this lab's site")
    since = detections.now()
    succeed("scenario", "run", "radiology-workflow", "--lab", clone.name)
    assert [f"{alert.rule}: {alert.summary}" for alert in detections.alerts(since)] == []
