"""The edges admit the callers that flows name, each from its own address, and what the flow permits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.templates import REFERENCE, render

if TYPE_CHECKING:
    from lab.topology import Site

EDGES = {
    "dicom_edge": "dicom-tls",
    "hl7_edge": "hl7-tls",
    "dicomweb_edge": "dicomweb-tls",
    "log_collector": "syslog-tls",
}
FRAGMENTS = {
    "dicom_edge": "dicom.cfg.j2",
    "hl7_edge": "hl7.cfg.j2",
    "dicomweb_edge": "dicomweb.cfg.j2",
    "log_collector": "syslog.cfg.j2",
}
EVERY_EDGE = [(role, name) for role in EDGES for name, host in REFERENCE.hosts.items() if role in host.roles]


def table(text: str) -> dict[str, str]:
    """Return a HAProxy map."""
    return dict(line.split(" ", 1) for line in text.splitlines())


def callers(site: Site, host: str, service: str) -> dict[str, str]:
    """Return the certificates' names of those who may call, with their addresses."""
    return {
        site.fqdn(flow.source): str(site.address_towards(flow.source, host))
        for flow in site.flows_in(host)
        if flow.service == service
    }


@pytest.mark.parametrize(("role", "host"), EVERY_EDGE)
def test_declared_callers_and_nobody_else_from_their_own_addresses(role: str, host: str) -> None:
    found = table(render(REFERENCE, host, role, "addresses.map.j2"))
    assert found == callers(REFERENCE, host, EDGES[role])


@pytest.mark.parametrize(("role", "host"), EVERY_EDGE)
def test_every_listener_wants_a_certificate_that_is_not_revoked(role: str, host: str) -> None:
    listeners = [
        line
        for line in render(REFERENCE, host, role, FRAGMENTS[role]).splitlines()
        if line.strip().startswith("bind :")
    ]
    assert len(listeners) == 1
    assert "verify required crl-file /etc/pacslab/tls/crl.pem" in listeners[0]


@pytest.mark.parametrize("host", [name for role, name in EVERY_EDGE if role == "dicom_edge"])
def test_each_certificate_has_the_ae_title_of_its_host(host: str) -> None:
    found = table(render(REFERENCE, host, "dicom_edge", "callers.map.j2"))
    assert found == {
        REFERENCE.fqdn(flow.source): REFERENCE.hosts[flow.source].ae_title
        for flow in REFERENCE.flows_in(host)
        if flow.service == "dicom-tls"
    }


def test_a_modality_sends_by_itself_and_opens_no_port_for_it() -> None:
    assert "listen dicom-to-" not in render(REFERENCE, "ct1", "dicom_edge", "dicom.cfg.j2")


def test_dicomweb_callers_get_the_services_of_their_flow() -> None:
    found = table(render(REFERENCE, "pacs-rad", "dicomweb_edge", "permits.map.j2"))
    assert found == {f"{name}.imaging.internal": "QIDO-RS,WADO-RS" for name in ("ws-rad1", "ws-tech1")}


def test_the_listener_behind_learns_the_certificates_name() -> None:
    assert "send-proxy-v2-ssl-cn" in render(REFERENCE, "ris1", "hl7_edge", "hl7.cfg.j2")


def test_the_collector_knows_each_sender_by_an_address_of_its_own() -> None:
    fragment = render(REFERENCE, "siem1", "log_collector", "syslog.cfg.j2")
    servers = dict(re.findall(r"^    server (\S+) \S+ source (\S+)", fragment, re.MULTILINE))
    names = dict(re.findall(r"^    use-server (\S+) if { var\(sess.name\) -m str (\S+) }", fragment, re.MULTILINE))
    senders = {flow.source for flow in REFERENCE.flows_in("siem1") if flow.service == "syslog-tls"}
    assert servers.keys() == names.keys() == senders
    assert len(set(servers.values())) == len(senders)
    assert names == {host: REFERENCE.fqdn(host) for host in senders}
