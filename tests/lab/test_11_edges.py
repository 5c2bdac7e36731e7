"""Edges and what is behind them, tried from other hosts: who is let in, what is answered, what is recorded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from lab.hospital.collected import Collected
from tests.lab_commands import until

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.hospital.collected import Mark

TLS = "/etc/pacslab/tls"
LINE = "<14>1 - ws-rad1 intruder - - - {}\n"
RECORDED_WITHIN = 20.0
"""Seconds."""
COLLECTOR, SENDER, STRANGER, READER = "siem1", "ct1", "ws-tech1", "ws-rad1"
ARCHIVES = ["pacs-rad", "vna1"]
ASK = """
import http.client, ssl, sys
tls = ssl.create_default_context(cafile="/etc/pacslab/tls/ca.crt")
tls.load_cert_chain("/etc/pacslab/tls/dicom-client.pem")
archive = http.client.HTTPSConnection("pacs-rad.imaging.internal", 8443, timeout=10, context=tls)
archive.request("GET", "/dicom-web/studies?limit=1", headers={"X-Long": "x" * int(sys.argv[1])})
print(archive.getresponse().status)
"""


@pytest.mark.parametrize("archive", ARCHIVES)
def test_a_workstation_reaches_the_edges_and_nothing_behind_them(lab: Lab, archive: str) -> None:
    site = lab.site
    address = site.hosts[archive].address
    reached = {
        name
        for name, service in site.services(archive).items()
        if service.port is not None
        and lab.run(READER, ["timeout", "3", "bash", "-c", f"echo >/dev/tcp/{address}/{service.port}"]).code == 0
    }
    declared = {flow.service for flow in site.flows_out(READER) if flow.target == archive}
    assert reached == declared == {"dicom-tls", "dicomweb-tls"}


@pytest.mark.parametrize(("length", "status"), [(1, "200"), (20_000, "431"), (70_000, "431")])
def test_a_request_with_a_head_too_long_is_refused_and_logged(lab: Lab, length: int, status: str) -> None:
    begun = lab.run("pacs-rad", ["date", "+%s"]).stdout.strip()
    assert lab.run(READER, ["python3", "-c", ASK, str(length)]).stdout.strip() == status
    show = ["journalctl", "--unit", "haproxy", "--since", f"@{begun}", "--output", "cat"]
    assert ('"head-too-long"' in lab.run("pacs-rad", show).stdout) == (status == "431")


def send(lab: Lab, host: str, certificate: str, text: str) -> str:
    """Send the collector a line with a certificate, as RFC 5425 frames it; what OpenSSL says."""
    line = LINE.format(text)
    to = f"-connect siem1.imaging.internal:6514 -verify_return_error -CAfile {TLS}/ca.crt -tls1_2"
    with_key = f"-cert {certificate}.crt -key {certificate}.key"
    program = f"(printf %s '{len(line)} {line}'; sleep 2) | timeout 10 openssl s_client -quiet {to} {with_key} 2>&1"
    return lab.run(host, ["sh", "-c", program]).stdout


def recorded(lab: Lab, mark: Mark, peer: str) -> dict[str, str] | None:
    """What the edge recorded of a caller's connection."""
    found = Collected(lab).wait(
        COLLECTOR,
        mark,
        lambda entry: entry["program"] == "haproxy" and entry.get("data", {}).get("peer") == peer,
        timeout=RECORDED_WITHIN,
    )
    return None if found is None else found["data"]


def kept(lab: Lab, host: str, text: str) -> bool:
    """Whether a line is in a host's log at the collector."""
    return Collected(lab).has(host, "intruder", text)


def test_a_line_is_kept_under_its_senders_name_whatever_it_says(lab: Lab) -> None:
    mark = Collected(lab).mark(COLLECTOR)
    send(lab, SENDER, f"{TLS}/syslog", "sent by ct1")
    record = recorded(lab, mark, str(lab.site.hosts[SENDER].address))
    assert record is not None
    assert (record["outcome"], record["certificate"]) == ("success", lab.site.fqdn(SENDER))
    assert kept(lab, SENDER, "sent by ct1")  # though HOSTNAME in it is ws-rad1
    assert not kept(lab, READER, "sent by ct1")


@pytest.mark.parametrize(
    ("bearer", "certificate", "reason"),
    [(SENDER, "syslog", "address-mismatch"), (None, "dicom-client", "wrong-profile")],
    ids=["another host's log certificate", "the host's own certificate for DICOM"],
)
def test_a_certificate_that_does_not_belong_here_sends_no_line(
    lab: Lab, bearer: str | None, certificate: str, reason: str
) -> None:
    mark = Collected(lab).mark(COLLECTOR)
    text = f"refused-{reason}-{time.time():.0f}"
    folder = TLS
    if bearer:
        folder = "/run/borrowed"
        for end in ("crt", "key"):
            data = lab.run(bearer, ["cat", f"{TLS}/{certificate}.{end}"]).stdout.encode()
            lab.write(STRANGER, f"{folder}/{certificate}.{end}", data, mode=0o600)
    try:
        send(lab, STRANGER, f"{folder}/{certificate}", text)
    finally:
        lab.run(STRANGER, ["rm", "-rf", "/run/borrowed"])
    record = recorded(lab, mark, str(lab.site.hosts[STRANGER].address))
    assert record is not None
    assert (record["outcome"], record["reason"]) == ("refused", reason)
    assert [host for host in lab.site.hosts if kept(lab, host, text)] == []


def test_while_the_collector_is_away_no_sender_gets_as_far_as_to_send(lab: Lab) -> None:
    assert lab.run(COLLECTOR, ["systemctl", "stop", "rsyslog.service"]).code == 0
    try:
        said = send(lab, SENDER, f"{TLS}/syslog", "to nobody")
        state = lab.run(COLLECTOR, ["systemctl", "is-active", "haproxy.service"]).stdout.strip()
    finally:
        assert lab.run(COLLECTOR, ["systemctl", "start", "rsyslog.service"]).code == 0
    assert state == "active"
    assert "verify return:1" not in said  # no certificate was shown
    assert "onnection refused" in said or "unexpected eof" in said or "reset by peer" in said, said
    assert until(lambda: lab.health()[COLLECTOR].healthy)
