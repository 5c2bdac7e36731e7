"""Who watches the network hears what is said in clear and what a neighbour tries; an examination raises no alert."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from lab.deadline import wait_until
from lab.engine import names
from lab.engine.execute import execute
from lab.engine.fabric import mirror_name
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


def neighbours(lab: Lab) -> list[tuple[str, str]]:
    """Hosts with another of their zone, the firewall between neither."""
    hosts, zones = lab.site.hosts, lab.site.topology.zones
    open_to_each_other = [
        name for name in lab.site.managed
        if not hosts[name].gateway and not zones[hosts[name].zone].isolated and hosts[name].roles[-1] != "scanner"
    ]  # fmt: skip
    pairs = {
        one: other
        for one in open_to_each_other
        for other in lab.site.managed
        if one != other and hosts[one].zone == hosts[other].zone and not hosts[other].gateway
    }
    return list(pairs.items())


def scan(lab: Lab, one: str, other: str) -> None:
    """A host tries ports of its neighbour."""
    done = lab.run(one, ["python3", "-I", "-c", SCAN, str(lab.site.hosts[other].address), str(MANY)], timeout=60)
    assert done.code == 0, done.stderr


def test_a_neighbour_who_tries_ports_is_seen_within_the_zone(clone: Lab, detections: Detections) -> None:
    """No packet of it passes the firewall."""
    (one, other), *_ = neighbours(clone)
    since = detections.now()
    scan(clone, one, other)
    assert wait_until(raised(detections, since, "scan-ports", str(clone.site.hosts[one].address)), HEARD_WITHIN, 1)


def test_a_mirror_that_was_laid_anew_is_heard(clone: Lab, detections: Detections) -> None:
    """The engine takes nothing more from an interface that went away under it, though another has its name."""
    (witness,) = [name for name, host in clone.site.hosts.items() if host.mirror is not None]
    cut = execute(clone.docker, names.fabric(clone.name), ["ip", "link", "del", mirror_name(clone.site, witness)])
    assert cut.code == 0, cut.stderr
    assert wait_until(lambda: not clone.health()[witness].healthy, HEARD_WITHIN, 1)
    succeed("up", "--lab", clone.name)
    _, (one, other), *_ = neighbours(clone)
    is_raised = raised(detections, detections.now(), "scan-ports", str(clone.site.hosts[one].address))

    def is_heard() -> bool:
        """The engine may still be starting."""
        scan(clone, one, other)
        return is_raised()

    assert wait_until(is_heard, HEARD_WITHIN, 1)


@pytest.mark.night
def test_an_examination_from_order_to_report_raises_no_alert(clone: Lab, detections: Detections) -> None:
    if not any("order-filler" in host.functions for host in clone.site.hosts.values()):
        pytest.skip("nobody is examined at this lab's site")
    since = detections.now()
    succeed("scenario", "run", "radiology-workflow", "--lab", clone.name)
    assert [f"{alert.rule}: {alert.summary}" for alert in detections.alerts(since)] == []
