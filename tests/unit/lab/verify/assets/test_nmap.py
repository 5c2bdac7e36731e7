"""What nmap writes is read as it is, and nothing is believed of a document that is cut off or hostile."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import EngineError
from lab.results.model import Outcome
from lab.verify.assets.nmap import LONGEST, Found, read_scan
from lab.verify.assets.scan import judge_flow, scanned
from tests.unit.site_builder import committed_site

SAMPLES = Path(__file__).with_name("samples")
"""What nmap 7.93 wrote of a web server, a service with mutual TLS, and a port where nothing listens."""
SITE = committed_site("third-party-devices")
SCANNER = "scan1"
BOMB = """<?xml version="1.0"?><!DOCTYPE nmaprun [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;">]>
<nmaprun><host><ports><port protocol="tcp" portid="1"><state state="&b;"/></port></ports></host></nmaprun>"""


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.xml").read_text("utf-8")


def test_a_web_server_tells_what_it_is_and_until_when_its_certificate_is_good() -> None:
    (found,) = read_scan(sample("web")).values()
    assert (found.state, found.service, found.product) == ("open", "http", "SimpleHTTPServer 0.6")
    assert found.tls
    assert found.certificate_until == "2027-11-27T11:31:36"
    assert str(found) == "open, http over TLS, SimpleHTTPServer 0.6, certificate until 2027-11-27T11:31:36"


def test_a_service_that_wants_a_certificate_shows_its_own_nevertheless() -> None:
    found = read_scan(sample("mutual"))
    assert {port: (entry.state, entry.tls) for port, entry in found.items()} == {6514: ("open", True)}
    assert found[6514].certificate_until == "2027-11-27T11:31:36"


@pytest.mark.parametrize("state", ["closed", "filtered"])
def test_a_port_where_nothing_answers_is_not_open(state: str) -> None:
    text = sample("closed").replace('state="closed"', f'state="{state}"')
    assert [str(found) for found in read_scan(text).values()] == [f"{state}, discard"]


@pytest.mark.parametrize(
    "text",
    ["", "nmap: not found", "<nmaprun/>", "<other/>", sample("web")[:-40], BOMB],
    ids=["nothing", "words", "no end", "another", "cut off", "entities"],
)
def test_what_is_no_whole_document_is_an_error(text: str) -> None:
    with pytest.raises(EngineError):
        read_scan(text)


def test_what_a_stranger_says_of_itself_is_cut() -> None:
    text = sample("web").replace('product="SimpleHTTPServer"', f'product="{"x" * 5000}"')
    assert [len(found.product) for found in read_scan(text).values()] == [LONGEST]


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
