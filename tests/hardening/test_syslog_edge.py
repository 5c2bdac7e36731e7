"""The collector takes a host's lines on that host's own log certificate, and records whom it turns away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from lab.hospital.collected import Collected
from tests.lab_commands import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host  # type: ignore[import-untyped]  # it carries no types

    from lab.engine.lab import Lab
    from lab.hospital.collected import Mark

    On = Callable[[str], Host]

TLS = "/etc/pacslab/tls"
LINE = "<14>1 - ws-rad1 intruder - - - {}\n"
RECORDED_WITHIN = 20.0
"""Seconds."""


def send(host: Host, certificate: str, text: str) -> str:
    """Send the collector a line with a certificate, as RFC 5425 frames it; what OpenSSL says."""
    line = LINE.format(text)
    to = f"-connect siem1.imaging.internal:6514 -verify_return_error -CAfile {TLS}/ca.crt -tls1_2"
    with_key = f"-cert {certificate}.crt -key {certificate}.key"
    program = f"(printf %s '{len(line)} {line}'; sleep 2) | timeout 10 openssl s_client -quiet {to} {with_key} 2>&1"
    return str(host.run(program).stdout)


def recorded(lab: Lab, mark: Mark, peer: str) -> dict[str, str] | None:
    """What the edge recorded of a caller's connection."""
    found = Collected(lab).wait(
        "siem1",
        mark,
        lambda one: one["program"] == "haproxy" and one.get("data", {}).get("peer") == peer,
        timeout=RECORDED_WITHIN,
    )
    return None if found is None else found["data"]


def kept(lab: Lab, host: str, text: str) -> bool:
    """Whether a line is in a host's log at the collector."""
    return Collected(lab).has(host, "intruder", text)


def test_a_line_is_kept_under_its_senders_name_whatever_it_says(lab: Lab, on: On) -> None:
    mark = Collected(lab).mark("siem1")
    send(on("ct1"), f"{TLS}/syslog", "sent by ct1")
    record = recorded(lab, mark, str(lab.site.hosts["ct1"].address))
    assert record is not None
    assert (record["outcome"], record["certificate"]) == ("success", "ct1.imaging.internal")
    assert kept(lab, "ct1", "sent by ct1")  # though HOSTNAME in it is ws-rad1
    assert not kept(lab, "ws-rad1", "sent by ct1")


@pytest.mark.parametrize(
    ("bearer", "certificate", "reason"),
    [
        ("ct1", "syslog", "address-mismatch"),
        (None, "dicom-client", "wrong-profile"),
    ],
    ids=["another host's log certificate", "the host's own certificate for DICOM"],
)
def test_a_certificate_that_does_not_belong_here_sends_no_line(
    lab: Lab, on: On, bearer: str | None, certificate: str, reason: str
) -> None:
    mark = Collected(lab).mark("siem1")
    text = f"refused-{reason}-{time.time():.0f}"
    folder = TLS
    if bearer:
        folder = "/run/borrowed"
        for end in ("crt", "key"):
            data = lab.run(bearer, ["cat", f"{TLS}/{certificate}.{end}"]).stdout.encode()
            lab.write("ws-tech1", f"{folder}/{certificate}.{end}", data, mode=0o600)
    try:
        send(on("ws-tech1"), f"{folder}/{certificate}", text)
    finally:
        lab.run("ws-tech1", ["rm", "-rf", "/run/borrowed"])
    record = recorded(lab, mark, str(lab.site.hosts["ws-tech1"].address))
    assert record is not None
    assert (record["outcome"], record["reason"]) == ("refused", reason)
    senders = [host for host in lab.site.hosts if kept(lab, host, text)]
    assert senders == []


def test_while_the_collector_is_away_no_sender_gets_as_far_as_to_send(lab: Lab, on: On) -> None:
    assert lab.run("siem1", ["systemctl", "stop", "rsyslog.service"]).code == 0
    try:
        said = send(on("ct1"), f"{TLS}/syslog", "to nobody")
        state = lab.run("siem1", ["systemctl", "is-active", "haproxy.service"]).stdout.strip()
    finally:
        assert lab.run("siem1", ["systemctl", "start", "rsyslog.service"]).code == 0
    assert state == "active"
    assert "verify return:1" not in said  # no certificate was shown
    assert "onnection refused" in said or "unexpected eof" in said or "reset by peer" in said, said
    assert until(lambda: lab.health()["siem1"].healthy)
