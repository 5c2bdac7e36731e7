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
    told = succeed("pki", "revoke", "us1", NAME, "--reason", "keyCompromise", "--lab", clone.name, "--json").json
    assert told["revoked"] == [f"us1/{NAME}"]
    assert echo(clone, "us1")["refused"]
    assert works(clone, "mr1")
    assert set(listed_as_revoked(clone, number).values()) == {True}
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
