"""What a service speaks by TLS is judged by a scanner of others (sslscan), from where a flow lets ask it."""

from __future__ import annotations

import os
import shutil
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from lab.topology.load import load_site, site_path
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.topology.site import ResolvedFlow

SITE = load_site(site_path("reference"))
PROTOCOLS = {("tls", "1.2"), ("tls", "1.3")}
"""RFC 9325 3.1.1; RFC 8996."""
SEALED = ("GCM", "POLY1305", "CCM")
"""Words of suites that encrypt and authenticate in one (RFC 9325 4.2)."""
FORWARD_SECRET = ("ECDHE-", "DHE-", "TLS_")
"""How suites are called whose keys end with the session."""
TRIES = 3


def ways() -> list[ResolvedFlow]:
    """For each service that proves itself by TLS, on each host that offers it, the first flow that leads there."""
    found: dict[tuple[str, str], ResolvedFlow] = {}
    for flow in SITE.flows:
        service = SITE.services(flow.target)[flow.service]
        ours = {flow.source, flow.target} <= SITE.managed.keys()
        if ours and service.presents is not None and service.protocol == "tcp":
            found.setdefault((flow.target, flow.service), flow)
    return list(found.values())


@pytest.fixture(scope="module", autouse=True)
def scanner() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may enter a host's place in the network")
    if shutil.which("sslscan") is None:
        pytest.skip("this machine has no sslscan: 'make setup-test' installs it")


def scanned(*words: str) -> str:
    """The scanner's report; it begins again where an edge that gets new revocation lists in the middle cut it off."""
    for _ in range(TRIES - 1):
        ran = pacslab(*words)
        if ran.code == 0 and "<error>" not in ran.out:
            return ran.out
    return succeed(*words).out


@pytest.mark.parametrize("flow", ways(), ids=lambda flow: f"{flow.target}-{flow.service}")
def test_nothing_old_and_nothing_weak_is_spoken(lab: Lab, flow: ResolvedFlow) -> None:
    words = ("as", flow.source, "--lab", lab.name, "--", "sslscan", "--xml=-", "--no-colour", "--connect-timeout=10")
    said = scanned(*words, f"{SITE.fqdn(flow.target)}:{flow.port}")
    report = ET.fromstring(said[said.index("<?xml") :])  # noqa: S314 # of a program of this machine
    test = report.find("ssltest")
    assert test is not None, said
    spoken = {
        (entry.get("type"), entry.get("version")) for entry in test.iter("protocol") if entry.get("enabled") == "1"
    }
    assert spoken
    assert spoken <= PROTOCOLS
    suites = [str(entry.get("cipher")) for entry in test.iter("cipher")]
    assert suites
    weak = [name for name in suites if not any(word in name for word in SEALED) or not name.startswith(FORWARD_SECRET)]
    assert weak == []
    assert {entry.get("supported") for entry in test.iter("compression")} <= {"0"}
    assert {entry.get("secure") for entry in test.iter("renegotiation") if entry.get("supported") == "1"} <= {"1"}
    assert {entry.get("vulnerable") for entry in test.iter("heartbleed")} <= {"0"}
