"""Certificates are rotated and revoked while the lab runs: the new ones work, the old ones are refused everywhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lab.hospital.hospital import Hospital
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab

TLS = "/etc/pacslab/tls"
NAME = "dicom-client"
PEER = "pacs-rad"
KEPT = "/run/kept"
SERIAL = f"openssl x509 -noout -serial -in {TLS}/{NAME}.crt"
REVOKED = (
    f"openssl crl -noout -text -in {TLS}/issuing.crl 2>/dev/null || openssl storeutl -noout -text -crls {TLS}/crl.pem"
)


def serial(lab: Lab, host: str) -> str:
    """The serial number of the certificate that a host presents to archives."""
    done = lab.run(host, ["sh", "-c", SERIAL])
    assert done.code == 0, done.stderr
    return done.stdout.strip().partition("=")[2]


def echo(lab: Lab, host: str, *words: str) -> dict[str, Any]:
    """What came of a C-ECHO from a host: with its own certificate, or with one that is given."""
    case = ["dicom-other-certificate", *words] if words else ["dicom-control"]
    done = Hospital(lab).run(host, ["pacslab-misuse", *case, "--peer", PEER, "--json"])
    assert done.code == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def works(lab: Lab, host: str) -> bool:
    """Whether a host's own certificate is taken."""
    return not echo(lab, host)["refused"]


def listed_as_revoked(lab: Lab, number: str) -> dict[str, bool]:
    """For each host that holds revocation lists, whether a serial number is on them."""
    hosts = [host for host in lab.site.hosts if lab.run(host, ["test", "-e", f"{TLS}/crl.pem"]).code == 0]
    return {host: number in lab.run(host, ["sh", "-c", REVOKED]).stdout.upper() for host in hosts}


def by_ocsp(lab: Lab, host: str, path: str) -> str:
    """What the responder says of a certificate of a host that asks it over the network (RFC 6960)."""
    status = next(flow.target for flow in lab.site.flows_out(host) if flow.service == "certificate-status")
    issuing = lab.run(status, ["cat", "/srv/pacslab/status/issuing.crt"]).stdout.encode()
    question = f"-issuer /run/issuing.crt -cert {path} -CAfile {TLS}/ca.crt -url http://{lab.site.fqdn(status)}/ocsp"
    script = f"cat >/run/issuing.crt && openssl ocsp {question}; rm /run/issuing.crt"
    said = lab.run(host, ["sh", "-c", script], input=issuing)
    found = [line for line in said.stdout.splitlines() if line.startswith(f"{path}: ")]
    assert found, (said.stdout, said.stderr)
    return found[0].removeprefix(f"{path}: ")


ASK = """
import socket, sys, urllib.request
idle = [socket.create_connection((sys.argv[1], 80)) for _ in range(20)]
half = socket.create_connection((sys.argv[1], 80))
half.sendall(b"POST /ocsp HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 90\\r\\n\\r\\n0")
print(urllib.request.urlopen("http://" + sys.argv[1] + "/ocsp", b"no question", timeout=10).read().hex())
"""


def test_a_question_for_a_state_that_is_none_is_told_so_and_silent_callers_keep_nobody_waiting(lab: Lab) -> None:
    status = next(flow.target for flow in lab.site.flows_out("ct1") if flow.service == "certificate-status")
    done = lab.run("ct1", ["python3", "-c", ASK, lab.site.fqdn(status)])
    assert done.stdout.strip() == "30030a0101", done  # malformedRequest (RFC 6960 4.2.1)
    assert by_ocsp(lab, "ct1", f"{TLS}/{NAME}.crt") == "good"


@pytest.mark.night
def test_after_a_rotation_the_new_certificate_works_and_the_old_one_is_refused(clone: Lab) -> None:
    before = serial(clone, "ct1")
    owner = f"mkdir -p {KEPT} && cp -p {TLS}/{NAME}.crt {TLS}/{NAME}.key {KEPT} && chmod 755 {KEPT}"
    assert clone.run("ct1", ["sh", "-c", owner]).code == 0
    told = succeed("pki", "rotate", "ct1", NAME, "--lab", clone.name, "--json").json
    assert told == {"issued": [f"ct1/{NAME}"], "revoked": [f"ct1/{NAME}"]}
    assert serial(clone, "ct1") != before
    assert works(clone, "ct1")
    old = echo(clone, "ct1", "--certificate", f"{KEPT}/{NAME}.crt", "--key", f"{KEPT}/{NAME}.key")
    assert old["refused"]
    assert old["layer"] == "tls"
    found = listed_as_revoked(clone, before)
    assert len(found) > 10
    assert set(found.values()) == {True}


def test_a_revoked_certificate_is_refused_and_its_neighbours_goes_on_working(clone: Lab) -> None:
    number = serial(clone, "us1")
    assert works(clone, "us1")
    assert by_ocsp(clone, "us1", f"{TLS}/{NAME}.crt") == "good"
    told = succeed("pki", "revoke", "us1", NAME, "--reason", "keyCompromise", "--lab", clone.name, "--json").json
    assert told["revoked"] == [f"us1/{NAME}"]
    assert echo(clone, "us1")["refused"]
    assert works(clone, "mr1")
    assert set(listed_as_revoked(clone, number).values()) == {True}
    assert by_ocsp(clone, "us1", f"{TLS}/{NAME}.crt") == "revoked"
    shown = succeed("pki", "show", "us1", NAME, "--lab", clone.name, "--json").json
    assert shown["state"].startswith("revoked ")
    assert "keyCompromise" in shown["state"]


@pytest.mark.night
def test_a_revoked_certificate_stays_revoked_until_it_is_rotated(clone: Lab) -> None:
    again = succeed("pki", "revoke", "us1", NAME, "--lab", clone.name)
    assert "was revoked before" in again.err
    succeed("up", "--lab", clone.name)
    assert echo(clone, "us1")["refused"]
    succeed("pki", "rotate", "us1", NAME, "--lab", clone.name)
    assert works(clone, "us1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("revoke", "ct1"), "needs a host and the name"),
        (("revoke", "ct1", "nothing"), "nothing"),
        (("show", "ct9", NAME), "ct9"),
        (("rotate", "ct9"), "ct9"),
    ],
)
def test_a_certificate_that_is_not_there_is_a_wrong_argument(lab: Lab, words: tuple[str, ...], said: str) -> None:
    ran = pacslab("pki", *words, "--lab", lab.name)
    assert ran.code == 2
    assert said in ran.err
