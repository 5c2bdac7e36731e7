"""The edges speak TLS 1.2 and 1.3 with suites of BCP 195, and to nobody without a certificate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from testinfra.host import Host  # type: ignore[import-untyped]  # it carries no types

    On = Callable[[str], Host]

EDGES = [
    ("pacs-rad", 2762),
    ("pacs-rad", 8443),
    ("pacs-rad", 2575),
    ("ris1", 2762),
    ("ris1", 2575),
    ("ct1", 2762),
    ("siem1", 6514),
]


def handshake(host: Host, port: int, options: str) -> str:
    """Return what OpenSSL says of a handshake on the edge's own host."""
    command = f"echo | timeout 5 openssl s_client -connect 127.0.0.1:{port} {options} 2>&1"
    return str(host.run(command).stdout)


@pytest.mark.parametrize(("name", "port"), EDGES)
@pytest.mark.parametrize(
    "options",
    [
        "-tls1 -cipher ALL:@SECLEVEL=0",
        "-tls1_1 -cipher ALL:@SECLEVEL=0",
        "-tls1_2 -cipher NULL:eNULL:@SECLEVEL=0",
        "-tls1_2 -cipher AES128-SHA:AES256-SHA:@SECLEVEL=0",
        "-tls1_2 -cipher ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0",
        "-tls1_2 -cipher ECDHE-ECDSA-AES256-SHA384",
    ],
)
def test_old_versions_and_weak_suites_are_refused(on: On, name: str, port: int, options: str) -> None:
    said = handshake(on(name), port, options)
    assert "Cipher is (NONE)" in said or "no cipher match" in said or "no protocols available" in said


@pytest.mark.parametrize(("name", "port"), EDGES)
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_caller_without_a_certificate_is_turned_away(on: On, name: str, port: int, version: str) -> None:
    said = handshake(on(name), port, f"{version} -ign_eof")
    assert "alert" in said
    assert "certificate required" in said or "handshake failure" in said


@pytest.mark.parametrize(("name", "port"), EDGES)
def test_a_session_is_never_resumed_so_that_a_revocation_counts_at_once(on: On, name: str, port: int) -> None:
    said = handshake(on(name), port, "-tls1_2")
    assert "Reused" not in said
    assert "TLS session ticket:" not in said


@pytest.mark.parametrize("name", ["pacs-rad", "ris1", "ct1", "siem1"])
def test_who_handles_the_traffic_has_no_privileges_and_cannot_get_any(on: On, name: str) -> None:
    workers = [one for one in on(name).process.filter(comm="haproxy") if one.user == "haproxy"]
    assert workers
    for worker in workers:
        status = on(name).file(f"/proc/{worker.pid}/status").content_string
        assert "NoNewPrivs:\t1" in status
        assert "CapEff:\t0000000000000000" in status


@pytest.mark.parametrize("name", ["pacs-rad", "ris1", "ct1", "siem1"])
def test_what_the_application_offers_listens_on_loopback_or_behind_the_firewall(on: On, name: str) -> None:
    network = {"pacs-rad": {2762, 2575, 8443}, "ris1": {2762, 2575}, "ct1": {2762}, "siem1": {6514}}[name]
    rules = on(name).check_output("nft list ruleset")
    assert "policy drop" in rules
    allowed = {
        port for port in (104, 2575, 2762, 4242, 8042, 6514, 8443, 10514, 11112, 12575) if f"dport {port}" in rules
    }
    assert allowed <= network


ASK = """
import http.client, ssl, sys
tls = ssl.create_default_context(cafile="/etc/pacslab/tls/ca.crt")
tls.load_cert_chain("/etc/pacslab/tls/dicom-client.pem")
archive = http.client.HTTPSConnection("pacs-rad.imaging.internal", 8443, timeout=10, context=tls)
archive.request("GET", "/dicom-web/studies?limit=1", headers={"X-Long": "x" * int(sys.argv[1])})
print(archive.getresponse().status)
"""


@pytest.mark.parametrize(("length", "status"), [(1, "200"), (20_000, "431"), (70_000, "431")])
def test_a_request_with_a_head_too_long_is_refused_and_logged(on: On, length: int, status: str) -> None:
    begun = on("pacs-rad").check_output("date +%s")
    assert on("ws-rad1").check_output("python3 -c %s %s", ASK, str(length)) == status
    logged = on("pacs-rad").check_output(f"journalctl --unit haproxy --since @{begun} --output cat")
    assert ('"head-too-long"' in logged) == (status == "431")
