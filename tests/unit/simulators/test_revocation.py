"""Revocation lists come to OpenSSL without anything else that their file may hold."""

from __future__ import annotations

import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from lab.trust import ensure_pki
from lab.trust.store import pki_folder
from simulators.database import Database
from simulators.errors import NotReadyError
from simulators.revocation import NotListsError, encoded_again, lists_alone
from simulators.settings import Certificate, Trust
from simulators.tls import client_context
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.simulators.peers import ris_settings


@pytest.fixture
def spoilt(pki: Path, tmp_path: Path) -> Path:
    """The site's lists with somebody else's trust anchor behind them."""
    ensure_pki(tiny_site(), tmp_path / "rogue")
    path = tmp_path / "crl.pem"
    path.write_bytes(
        (pki_folder(pki) / "crl.pem").read_bytes() + (pki_folder(tmp_path / "rogue") / "ca.crt").read_bytes()
    )
    return path


def trusting(pki: Path, lists: Path) -> Trust:
    folder = pki_folder(pki)
    own = {
        name: Certificate(folder / f"hosts/ris1/{name}.crt", folder / f"hosts/ris1/{name}.key")
        for name in ("hl7", "database")
    }
    return Trust(folder / "ca.crt", lists, own)


def test_lists_arrive_as_they_are(pki: Path) -> None:
    path = pki_folder(pki) / "crl.pem"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with lists_alone(path) as lists:
        assert Path(lists).read_bytes() == path.read_bytes()
        context.load_verify_locations(lists)
    assert context.cert_store_stats() == {"x509": 0, "crl": 2, "x509_ca": 0}


def test_a_file_with_anything_else_is_refused(pki: Path, spoilt: Path) -> None:
    good = (pki_folder(pki) / "crl.pem").read_bytes()
    assert encoded_again(good) == good
    for text in (
        spoilt.read_bytes(),
        b"",
        b"\n" + good,
        good.replace(b"\n", b"\r\n"),
        b"-----BEGIN X509 CRL-----\n=\n-----END X509 CRL-----\n",
    ):
        with pytest.raises(NotListsError):
            encoded_again(text)


def test_a_client_does_not_trust_an_anchor_among_the_lists(pki: Path, spoilt: Path) -> None:
    settings = replace(ris_settings(), tls=trusting(pki, spoilt))
    with pytest.raises(NotReadyError, match="something else than revocation lists"):
        client_context(settings, "hl7")
    context = client_context(replace(settings, tls=trusting(pki, pki_folder(pki) / "crl.pem")), "hl7")
    assert context.cert_store_stats()["x509"] == 2


def test_nor_does_a_client_of_the_database(pki: Path, spoilt: Path) -> None:
    database = Database(replace(ris_settings(), tls=trusting(pki, spoilt)))
    with pytest.raises(NotReadyError, match="something else than revocation lists"), database.transaction():
        pass
