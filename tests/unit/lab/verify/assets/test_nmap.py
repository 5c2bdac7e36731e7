"""What nmap writes is read as it is, and nothing is believed of a document that is cut off or hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import EngineError
from lab.results.model import Outcome
from lab.topology.load import load_site, site_path
from lab.verify.assets.nmap import LONGEST, Found, read_scan
from lab.verify.assets.scan import judge_flow, scanned

SAMPLES = Path(__file__).with_name("samples")
"""What nmap 7.95 wrote on a lab."""
SITE = load_site(site_path("reference"))
SCANNER = "scan1"
BOMB = """<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>
<nmaprun><host><ports><port protocol="tcp" portid="1"><state state="&b;"/></port></ports></host></nmaprun>"""


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.xml").read_text("utf-8")


def test_a_web_server_tells_what_it_is_and_until_when_its_certificate_is_good() -> None:
    found = read_scan(sample("viewer"))
    assert set(found) == {443}
    assert found[443].state == "open"
    assert found[443].tls
    assert found[443].product.startswith("Apache")
    assert found[443].certificate_until[:3] == "202"
    assert "over TLS" in str(found[443])


def test_a_port_that_nobody_answers_at_is_filtered() -> None:
    assert {found.state for found in read_scan(sample("filtered")).values()} == {"filtered"}


def test_a_service_that_wants_a_certificate_is_found_too() -> None:
    found = read_scan(sample("collector"))
    assert {port: entry.state for port, entry in found.items()} == {6514: "open"}
    assert found[6514].tls


@pytest.mark.parametrize(
    "text",
    ["", "nmap: not found", "<nmaprun/>", "<other/>", sample("viewer")[:-40], BOMB],
    ids=["nothing", "words", "no end", "another", "cut off", "entities"],
)
def test_what_is_no_whole_document_is_an_error(text: str) -> None:
    with pytest.raises(EngineError):
        read_scan(text)


def test_what_a_stranger_says_of_itself_is_cut() -> None:
    text = sample("viewer").replace('product="Apache httpd"', f'product="{"x" * 5000}"')
    assert len(read_scan(text)[443].product) == LONGEST


def test_a_flow_whose_service_is_open_is_as_described_and_any_other_missing() -> None:
    flow = next(flow for flows in scanned(SITE, SCANNER).values() for flow in flows)
    assert judge_flow(SITE, flow, {flow.port: Found("open", "x")}).outcome is Outcome.PASSED
    for found in ({}, {flow.port: Found("filtered")}, {flow.port: Found("closed")}, {flow.port + 1: Found("open")}):
        result = judge_flow(SITE, flow, found)
        assert (result.outcome, result.facts["reason"]) == (Outcome.FAILED, "missing-asset")


def test_the_scanner_tries_what_flows_let_it_open_and_nothing_else() -> None:
    tried = {(target, flow.port) for target, flows in scanned(SITE, SCANNER).items() for flow in flows}
    permitted = {(flow.target, flow.port) for flow in SITE.flows if flow.source == SCANNER and flow.protocol == "tcp"}
    assert tried == permitted
