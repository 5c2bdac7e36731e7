"""The PKI is what the site's description says, no more and no less."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.errors import UsageError
from lab.trust import ensure_pki, held, pki, retire, revoke, rotate, store
from lab.trust.files import TrustError
from tests.unit.lab.trust.sites import tiny_site

if TYPE_CHECKING:
    from pathlib import Path

ALL = [
    "fw1/syslog",
    "ca1/syslog",
    "ca1/ocsp",
    "pacs1/syslog",
    "pacs1/dicom",
    "pacs1/dicomweb",
    "ct1/syslog",
    "ct1/dicom-client",
    "ct2/syslog",
    "ct2/dicom-client",
]


def leaf(folder: Path, host: str, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "pki" / "hosts" / host / f"{name}.crt").read_bytes())


def crl(folder: Path) -> x509.CertificateRevocationList:
    return x509.load_der_x509_crl((folder / "pki" / "issuing.crl").read_bytes())


def crl_number(folder: Path) -> int:
    return crl(folder).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def states(folder: Path) -> dict[str, str]:
    return {f"{instance.host}/{instance.name}": instance.state for instance in held(tiny_site(), folder)}


def test_every_certificate_of_the_description_is_issued(tmp_path: Path) -> None:
    assert ensure_pki(tiny_site(), tmp_path).issued == ALL
    assert states(tmp_path) == dict.fromkeys(ALL, "good")


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert not ensure_pki(tiny_site(), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_nobody_else_can_read_any_of_it(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    for path in (tmp_path / "pki").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_a_certificate_names_its_host_and_its_profile(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    certificate = leaf(tmp_path, "ct1", "dicom-client")
    subject = {attribute.oid: attribute.value for attribute in certificate.subject}
    assert subject[NameOID.COMMON_NAME] == "ct1.tiny.internal"
    assert subject[NameOID.ORGANIZATIONAL_UNIT_NAME] == "dicom-node"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ct1.tiny.internal"]
    assert timedelta(days=364) < certificate.not_valid_after_utc - datetime.now(UTC) <= timedelta(days=365)


def test_a_servers_certificate_names_its_profile_for_clients_to_verify(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    found = {}
    for name in ("dicom", "dicomweb", "syslog"):
        names = leaf(tmp_path, "pacs1", name).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        found[name] = names.get_values_for_type(x509.DNSName)
    own = "pacs1.tiny.internal"
    assert found == {"dicom": [own, f"dicom-service.{own}"], "dicomweb": [own, f"web.{own}"], "syslog": [own]}


@pytest.mark.parametrize(
    ("host", "name", "usages"),
    [
        ("ct1", "dicom-client", {ExtendedKeyUsageOID.CLIENT_AUTH}),
        ("pacs1", "dicom", {ExtendedKeyUsageOID.SERVER_AUTH}),
        ("pacs1", "dicomweb", {ExtendedKeyUsageOID.SERVER_AUTH}),
        ("ca1", "ocsp", {ExtendedKeyUsageOID.OCSP_SIGNING}),
    ],
)
def test_a_profile_may_do_no_more_than_it_needs(
    tmp_path: Path, host: str, name: str, usages: set[x509.ObjectIdentifier]
) -> None:
    ensure_pki(tiny_site(), tmp_path)
    usage = leaf(tmp_path, host, name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert set(usage) == usages


def test_a_certificate_says_where_its_status_is_published(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    extensions = leaf(tmp_path, "ct1", "syslog").extensions
    access = extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [access_entry.access_location.value for access_entry in access] == ["http://ca1.tiny.internal/ocsp"]
    points = extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for point in points for name in point.full_name or []] == [
        "http://ca1.tiny.internal/issuing.crl"
    ]


def test_a_removed_host_loses_its_certificates(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    serials = {leaf(tmp_path, "ct2", name).serial_number for name in ("syslog", "dicom-client")}
    changes = ensure_pki(tiny_site(without="ct2"), tmp_path)
    assert changes.revoked == ["ct2/syslog", "ct2/dicom-client"]
    assert {entry.serial_number for entry in crl(tmp_path)} == serials
    assert not (tmp_path / "pki" / "hosts" / "ct2").exists()


def test_what_the_description_changes_is_issued_anew_and_the_former_revoked(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    changes = ensure_pki(tiny_site(domain="other.internal"), tmp_path)
    assert changes.issued == changes.revoked == ALL
    assert len(crl(tmp_path)) == len(ALL)


def test_what_is_about_to_expire_is_replaced_and_not_revoked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_pki(tiny_site(), tmp_path)
    monkeypatch.setattr(pki, "RENEW_BEFORE", timedelta(days=366))
    changes = ensure_pki(tiny_site(), tmp_path)
    assert changes.issued == ALL
    assert not changes.revoked


def test_a_run_that_was_cut_off_is_finished_by_the_next(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    (tmp_path / "pki" / "hosts" / "ct1" / "syslog.crt").unlink()
    assert ensure_pki(tiny_site(), tmp_path).issued == ["ct1/syslog"]


def test_a_revoked_certificate_is_listed_with_its_reason_under_a_higher_number(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    before = crl_number(tmp_path)
    revoke(tmp_path, "ct1", "dicom-client", "privilegeWithdrawn")
    entry = crl(tmp_path).get_revoked_certificate_by_serial_number(leaf(tmp_path, "ct1", "dicom-client").serial_number)
    assert entry is not None
    reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    assert reason is x509.ReasonFlags.privilege_withdrawn
    assert crl_number(tmp_path) == before + 1


def test_both_lists_are_in_one_file_for_servers(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    issuers = [
        x509.load_pem_x509_crl(block + b"-----END X509 CRL-----\n").issuer
        for block in (tmp_path / "pki" / "crl.pem").read_bytes().split(b"-----END X509 CRL-----\n")
        if block
    ]
    assert issuers == [store.load_authority(tmp_path / "pki", name).certificate.subject for name in ("issuing", "root")]


def test_a_revoked_certificate_stays_revoked_until_it_is_rotated(tmp_path: Path) -> None:
    site = tiny_site()
    ensure_pki(site, tmp_path)
    revoke(tmp_path, "ct1", "dicom-client")
    assert not ensure_pki(site, tmp_path)
    assert states(tmp_path)["ct1/dicom-client"] == "revoked"
    rotate(site, tmp_path, "ct1", ["dicom-client"])
    assert states(tmp_path)["ct1/dicom-client"] == "good"


def test_revoking_twice_keeps_the_first_reason(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    revoke(tmp_path, "ct1", "syslog", "keyCompromise")
    assert not revoke(tmp_path, "ct1", "syslog", "superseded")


def test_the_former_certificate_is_good_until_the_new_one_is_in_place(tmp_path: Path) -> None:
    site = tiny_site()
    ensure_pki(site, tmp_path)
    former = leaf(tmp_path, "ct1", "syslog").serial_number
    assert rotate(site, tmp_path, "ct1").issued == ["ct1/syslog", "ct1/dicom-client"]
    assert crl(tmp_path).get_revoked_certificate_by_serial_number(former) is None
    assert retire(tmp_path, "ct1").revoked == ["ct1/syslog", "ct1/dicom-client"]
    assert crl(tmp_path).get_revoked_certificate_by_serial_number(former) is not None
    assert states(tmp_path) == dict.fromkeys(ALL, "good")


def test_a_list_is_signed_anew_when_half_of_its_time_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ensure_pki(tiny_site(), tmp_path)
    before = crl_number(tmp_path)
    monkeypatch.setattr(store, "ISSUING_CRL_LIFETIME", timedelta(days=61))  # of which 30 are left: less than half
    assert ensure_pki(tiny_site(), tmp_path).lists == ["issuing.crl"]
    assert crl_number(tmp_path) == before + 1


@pytest.mark.parametrize(("host", "name"), [("ct1", "dicom"), ("nobody", "syslog")])
def test_a_certificate_that_is_not_there_cannot_be_revoked_or_rotated(tmp_path: Path, host: str, name: str) -> None:
    ensure_pki(tiny_site(), tmp_path)
    with pytest.raises(UsageError, match=f"host '{host}' has no certificate '{name}'"):
        revoke(tmp_path, host, name)
    with pytest.raises(UsageError, match=f"host '{host}' has no certificate '{name}'"):
        rotate(tiny_site(), tmp_path, host, [name])


def test_a_reason_that_the_standard_does_not_know_is_refused(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    with pytest.raises(UsageError, match="no reason to revoke"):
        revoke(tmp_path, "ct1", "syslog", "boredom")


def test_a_damaged_index_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    ensure_pki(tiny_site(), tmp_path)
    (tmp_path / "pki" / "index.txt").write_text("V\tnonsense\n")
    with pytest.raises(TrustError, match=r"index\.txt:1"):
        ensure_pki(tiny_site(), tmp_path)
