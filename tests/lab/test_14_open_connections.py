"""A connection that is open ends within seconds when its certificate or its flow goes, and others stay."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest

from lab.verify.hardening.facts import RULESET
from tests.lab_commands import succeed, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

SCANNER, OTHER, ORDER_FILLER = "ct1", "mr1", "ris1"
"""Held open at the order filler: a new revocation list starts Orthanc again, which ends every association there."""
PYTHON = "/opt/pacslab/venv/bin/python"
HELD = "/run/pacslab-held"
HOLD = f"""
import pathlib, sys, time
from pynetdicom.sop_class import Verification
from simulators import settings as s, tls
from simulators.association import associate, contexts
settings = s.load()
peer = settings.peer("dicom-tls", name=sys.argv[1])
context = tls.client_context(settings, "dicom-client")
with associate(peer, contexts([Verification]), calling=settings.host.ae_title, tls=context) as association:
    held = pathlib.Path("{HELD}")
    held.touch()
    end = time.monotonic() + int(sys.argv[2])
    while held.exists() and time.monotonic() < end:
        time.sleep(0.5)
        if not association.is_established or not association.send_c_echo():
            print("ended")
            break
    else:
        print("stayed")
"""
PATIENCE = 60
"""Seconds for which an association is held unless it is let go; one that is to end ends long before."""


class Held:
    """An association that a host holds open while a test goes on."""

    def __init__(self, lab: Lab, host: str) -> None:
        """Open it."""
        self.said = ""
        self._lab, self._host = lab, host
        lab.run(host, ["rm", "-f", HELD])
        self._thread = threading.Thread(target=self._hold)
        self._thread.start()
        assert until(lambda: lab.run(host, ["test", "-e", HELD]).code == 0), "no association was opened"

    def _hold(self) -> None:
        done = self._lab.run(self._host, [PYTHON, "-c", HOLD, ORDER_FILLER, str(PATIENCE)], timeout=2 * PATIENCE)
        self.said = done.stdout.strip() or done.stderr[-500:]

    def ends_within(self, seconds: float) -> bool:
        """Whether it is over after so long."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def result(self) -> str:
        """What became of it: it is let go, unless it has ended."""
        self._lab.run(self._host, ["rm", "-f", HELD])
        self._thread.join()
        return self.said


@pytest.fixture
def both(clone: Lab) -> Iterator[tuple[Held, Held]]:
    """An association of each of two scanners."""
    held = Held(clone, SCANNER), Held(clone, OTHER)
    yield held
    for entry in held:
        entry.result()


def test_a_flow_that_is_taken_away_ends_its_connections_at_the_firewall(clone: Lab, both: tuple[Held, Held]) -> None:
    firewall = clone.site.gateway
    source, target = clone.site.hosts[SCANNER], clone.site.hosts[ORDER_FILLER]
    vlan = clone.site.topology.zones[source.zone].vlan
    port = clone.site.services(ORDER_FILLER)["dicom-tls"].port
    element = f'"vlan{vlan}" . {source.address} . {target.address} . tcp . {port}'
    assert "flows" in clone.run(firewall, ["sh", "-c", RULESET]).stdout
    assert clone.run(firewall, ["nft", f"delete element inet filter flows {{ {element} }}"]).code == 0
    try:
        ended, stays = both
        assert ended.ends_within(15)
        assert ended.result() != "stayed"
        assert not stays.ends_within(3)
    finally:
        assert clone.run(firewall, ["systemctl", "reload", "nftables"]).code == 0
    assert stays.result() == "stayed"


def test_an_association_that_lasts_too_long_ends_and_others_stay(clone: Lab) -> None:
    path = "/etc/haproxy/conf.d/20-dicom.cfg"
    shorten = ["sed", "-i", "-E", r"s/(association_limits [0-9]+) [0-9]+/\1 3/", path]
    kept = clone.run(ORDER_FILLER, ["cat", path]).stdout
    stays = Held(clone, OTHER)
    assert clone.run(ORDER_FILLER, shorten).code == 0
    try:
        assert clone.run(ORDER_FILLER, ["systemctl", "reload", "haproxy"]).code == 0
        ended = Held(clone, SCANNER)
        assert ended.ends_within(15)
        assert ended.result() != "stayed"
    finally:
        clone.write(ORDER_FILLER, path, kept.encode(), mode=0o640)
        clone.run(ORDER_FILLER, ["chgrp", "haproxy", path])
        clone.run(ORDER_FILLER, ["systemctl", "reload", "haproxy"])
    show = ["journalctl", "--unit", "haproxy", "--output", "cat"]
    lines = [line for line in clone.run(ORDER_FILLER, show).stdout.splitlines() if "association-too-long" in line]
    (event,) = [json.loads(line) for line in lines]
    assert (event["action"], event["outcome"], event["ae_title"]) == ("associate", "refused", "CT1")
    assert stays.result() == "stayed"


@pytest.mark.night
def test_a_certificate_that_is_revoked_ends_its_connections_at_the_edge(clone: Lab, both: tuple[Held, Held]) -> None:
    began = clone.run(ORDER_FILLER, ["date", "+%s"]).stdout.strip()
    succeed("pki", "revoke", SCANNER, "dicom-client", "--lab", clone.name)
    try:
        ended, stays = both
        assert ended.ends_within(15)
        assert ended.result() != "stayed"
        assert not stays.ends_within(3)
        show = ["journalctl", "--identifier", "pacslab-edge", "--output", "cat", "--since", f"@{began}"]
        events = [
            json.loads(line) for line in clone.run(ORDER_FILLER, show).stdout.splitlines() if line.startswith("{")
        ]
        told = {(event["certificate"], event["reason"]) for event in events if event["outcome"] == "refused"}
        assert told == {(clone.site.fqdn(SCANNER), "certificate-refused")}
        assert stays.result() == "stayed"
    finally:
        succeed("pki", "rotate", SCANNER, "dicom-client", "--lab", clone.name)
