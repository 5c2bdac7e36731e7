"""A bundle holds what a device needs, in forms that every product reads, and follows what the PKI has."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.errors import UsageError
from lab.operate.bundles import renew_bundles
from lab.settings import ROOT
from lab.topology.peers import peers
from lab.trust import ensure_pki, rotate
from lab.trust.bundle import PASSWORD, SHOWN, write_bundle
from lab.trust.bundle_page import PAGE, bundle_page
from lab.trust.profiles import TLS_SUITES
from simulators.hl7messages import Party
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

SITE = committed_site("third-party-devices")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lab's folder with the PKI of the site."""
    folder = tmp_path_factory.mktemp("lab")
    ensure_pki(SITE, folder)
    return folder


def openssl(*words: str) -> str:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_certificate_is_there_as_pem_and_pkcs12_and_belongs_to_its_key(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ct9"
    files = write_bundle(SITE, lab, "ct9", folder)
    assert sorted(path.name for path in folder.iterdir()) == files
    for name in SITE.certificates("ct9"):
        of_key = openssl("pkey", "-in", str(folder / f"{name}.key"), "-pubout")
        assert openssl("x509", "-in", str(folder / f"{name}.crt"), "-noout", "-pubkey") == of_key
        password = f"file:{folder / PASSWORD}"
        store = openssl("pkcs12", "-in", str(folder / f"{name}.p12"), "-passin", password, "-nodes")
        assert "BEGIN PRIVATE KEY" in store
        assert store.count("BEGIN CERTIFICATE") == 3
        openssl("verify", "-CAfile", str(folder / "ca.crt"), "-CRLfile", str(folder / "crl.pem"), "-crl_check_all",
                str(folder / f"{name}.crt"))  # fmt: skip


def test_the_trust_store_holds_the_authorities_and_no_key(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ct9"
    write_bundle(SITE, lab, "ct9", folder)
    store = openssl("pkcs12", "-in", str(folder / "truststore.p12"), "-passin", f"file:{folder / PASSWORD}", "-nodes")
    assert store.count("BEGIN CERTIFICATE") == 2
    assert "PRIVATE KEY" not in store


def test_nobody_else_reads_a_bundle_that_was_handed_over(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ct9"
    write_bundle(SITE, lab, "ct9", folder)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


def test_a_bundle_that_is_right_is_left_alone_and_one_of_an_older_key_is_not(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ct9"
    write_bundle(SITE, lab, "ct9", folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_bundle(SITE, lab, "ct9", folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    rotate(SITE, lab, "ct9", ["dicom-client"])
    write_bundle(SITE, lab, "ct9", folder)
    changed = {path.name for path in folder.iterdir() if path.read_bytes() != before[path.name]}
    assert changed == {f"dicom-client.{suffix}" for suffix in ("key", "crt", "pem", "p12")}


def test_a_run_that_was_cut_off_is_made_good_by_the_next(lab: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ct9"
    write_bundle(SITE, lab, "ct9", folder)
    store = (folder / "dicom-client.p12").read_bytes()
    (folder / "dicom-client.key").write_bytes(b"of another time")
    write_bundle(SITE, lab, "ct9", folder)
    assert (folder / "dicom-client.p12").read_bytes() != store
    assert (folder / "dicom-client.key").read_bytes() == (lab / "pki/hosts/ct9/dicom-client.key").read_bytes()


def test_a_folder_that_holds_something_else_is_refused_and_stays_as_it_is(lab: Path, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", "utf-8")
    mode = tmp_path.stat().st_mode
    with pytest.raises(UsageError, match="something else than a bundle"):
        write_bundle(SITE, lab, "ct9", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]
    assert tmp_path.stat().st_mode == mode


def test_a_device_behind_a_shim_gets_no_key(lab: Path, tmp_path: Path) -> None:
    assert write_bundle(SITE, lab, "us9", tmp_path / "us9") == [PAGE]
    text = (tmp_path / "us9" / PAGE).read_text("utf-8")
    assert "127.0.0.1:11200" in text
    assert "127.0.0.1:11112" in text
    assert "syslog" not in text  # that is the shim's own


def test_every_devices_bundle_is_kept_with_the_lab_and_goes_with_its_device(lab: Path) -> None:
    renew_bundles(SITE, lab)
    kept = lab / "bundles"
    assert {path.name for path in kept.iterdir()} == {"ct9", "us9", "ehr9", "ws9", "vna9"}
    assert (kept / "ct9" / "dicom-client.key").stat().st_mode & 0o777 == SHOWN.file
    (kept / "gone").mkdir()
    renew_bundles(SITE, lab)
    assert not (kept / "gone").exists()


@pytest.mark.parametrize("host", ["ct9", "ws9", "vna9"])
def test_the_page_names_every_peer_with_address_port_ae_title_and_what_is_permitted(host: str) -> None:
    page = bundle_page(SITE, host, list(SITE.certificates(host)), "http://srv1.devices.internal")
    assert str(SITE.hosts[host].ae_title) in page
    for peer in peers(SITE, host):
        rows = [line for line in page.splitlines() if line.startswith(f"| {peer.name} | {peer.service} ")]
        wanted = (f"{peer.fqdn}<br>{peer.address}", f"{peer.protocol}/{peer.port}", *peer.permits, *peer.certificates)
        assert any(all(word in row for word in wanted) for row in rows)
    assert "http://srv1.devices.internal/crl.pem" in page


def test_the_suites_on_the_page_are_those_that_the_edges_offer() -> None:
    text = (ROOT / "roles" / "haproxy" / "files" / "haproxy.cfg").read_text("utf-8")
    lines = [line.split() for line in text.splitlines()]
    offered = {
        suite
        for words in lines
        if words and words[0] in {"ssl-default-bind-ciphers", "ssl-default-bind-ciphersuites"}
        for suite in words[1].split(":")
    }
    assert {suite for suite in offered if "RSA" not in suite} == set(TLS_SUITES)


def test_the_page_names_a_host_to_hl7_as_the_listeners_expect_it() -> None:
    expected = Party.of("ehr9", SITE.name)
    assert f"{expected.application}, {expected.facility} (MSH-3, MSH-4)" in bundle_page(SITE, "ehr9", [], None)
