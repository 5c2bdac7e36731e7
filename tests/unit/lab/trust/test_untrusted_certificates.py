"""OpenSSL, which shares no code with the PKI, accepts the real certificates and refuses the others."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.trust import ensure_pki, revoke, untrusted_certificates
from tests.unit.lab.trust.sites import tiny_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    ensure_pki(tiny_site(), tmp_path)
    return tmp_path


def openssl(*words: str) -> str:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def verdict(lab: Path, certificate: Path) -> str:
    lists = ["-CAfile", f"{lab}/pki/ca.crt", "-CRLfile", f"{lab}/pki/crl.pem", "-crl_check_all"]
    return openssl("verify", *lists, "-purpose", "sslclient", str(certificate))


def bundle(lab: Path, made: untrusted_certificates.Bundle) -> Path:
    path = lab / "outsider.crt"
    path.write_bytes(made.certificate)
    return path


def ocsp(lab: Path, host: str, name: str) -> str:
    pki = f"{lab}/pki"
    question = ["-issuer", f"{pki}/issuing.crt", "-cert", f"{pki}/hosts/{host}/{name}.crt", "-no_nonce"]
    signer = ["-rsigner", f"{pki}/hosts/ca1/ocsp.crt", "-rkey", f"{pki}/hosts/ca1/ocsp.key", "-nmin", "5"]
    known = ["-index", f"{pki}/index.txt", "-CA", f"{pki}/issuing.crt"]
    openssl("ocsp", *question, "-reqout", f"{lab}/request")
    openssl("ocsp", *known, *signer, "-reqin", f"{lab}/request", "-respout", f"{lab}/answer")
    return openssl("ocsp", *question, "-respin", f"{lab}/answer", "-CAfile", f"{pki}/ca.crt")


def test_a_real_certificate_is_accepted(lab: Path) -> None:
    assert verdict(lab, lab / "pki" / "hosts" / "ct1" / "dicom-client.crt").endswith(": OK\n")


def test_a_revoked_certificate_is_refused(lab: Path) -> None:
    revoke(lab, "ct1", "dicom-client")
    assert "certificate revoked" in verdict(lab, lab / "pki" / "hosts" / "ct1" / "dicom-client.crt")
    assert verdict(lab, lab / "pki" / "hosts" / "ct2" / "dicom-client.crt").endswith(": OK\n")


def test_a_certificate_of_a_foreign_ca_with_our_names_is_refused(lab: Path) -> None:
    made = untrusted_certificates.foreign(tiny_site(), "ct1", "dicom-node")
    real = openssl("x509", "-noout", "-subject", "-issuer", "-in", f"{lab}/pki/hosts/ct1/dicom-client.crt")
    path = bundle(lab, made)
    assert openssl("x509", "-noout", "-subject", "-issuer", "-in", str(path)) == real
    assert "error" in verdict(lab, path)


def test_an_expired_certificate_is_refused_for_its_date_alone(lab: Path) -> None:
    answer = verdict(lab, bundle(lab, untrusted_certificates.expired(tiny_site(), lab, "ct1", "dicom-node")))
    assert "certificate has expired" in answer
    assert answer.count("lookup:") == 1


def test_a_self_signed_certificate_is_refused(lab: Path) -> None:
    answer = verdict(lab, bundle(lab, untrusted_certificates.self_signed(tiny_site(), "ct1", "dicom-node")))
    assert "self-signed certificate" in answer


def test_what_must_be_refused_is_not_kept_among_the_real_ones(lab: Path) -> None:
    before = {path: path.read_bytes() for path in (lab / "pki").rglob("*") if path.is_file()}
    untrusted_certificates.foreign(tiny_site(), "ct1", "dicom-node")
    untrusted_certificates.expired(tiny_site(), lab, "ct1", "dicom-node")
    untrusted_certificates.self_signed(tiny_site(), "ct1", "dicom-node")
    assert {path: path.read_bytes() for path in (lab / "pki").rglob("*") if path.is_file()} == before


def test_the_index_answers_ocsp(lab: Path) -> None:
    assert "dicom-client.crt: good" in ocsp(lab, "ct1", "dicom-client")
    revoke(lab, "ct1", "dicom-client", "keyCompromise")
    answer = ocsp(lab, "ct1", "dicom-client")
    assert "Response verify OK" in answer
    assert "dicom-client.crt: revoked" in answer
    assert "keyCompromise" in answer
