"""A partner has keys of its own, which the site's CA has not signed; they are kept private and go with the partner."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import PolicyBuilder, Store

from lab.state_file import DamagedFileError
from lab.trust.partners import FILE, PartnerKeys, ensure_partners, read_partners
from lab.trust.personal import personal_secret
from lab.trust.secrets import ensure_secrets
from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

ROLES = {
    "home": {
        "summary": "A partner's sign-on",
        "services": {"partner-sign-on": {"port": 443, "unit": "web.service", "home": True, "remedy": "Look"}},
        "secrets_of_people": {
            "visitor_password": {"kind": "password", "of": "visitors", "purpose": "To sign in at home"},
            "visitor_seed": {"kind": "one-time-password", "of": "visitors", "purpose": "To sign in at home"},
        },
    },
    "directory": {
        "summary": "Knows people",
        "secrets_of_people": {"person_password": {"kind": "password", "purpose": "To sign in"}},
    },
}
PARTNER = {"title": "Other house", "host": "home1", "role": "visiting-clinician"}


def site(*, partner: bool = True, host: str = "home1") -> Site:
    """A site with somebody of its own, and with or without a partner."""
    named = {**PARTNER, "host": host, "people": {"eva": {"given": "E", "family": "L"}}}
    return build_site(
        {
            "site": "tiny",
            "zones": {"core": {"vlan": 10, "subnet": "10.0.10.0/24", "purpose": "Servers"}},
            "hosts": {
                name: {"zone": "core", "address": f"10.0.10.{number}", "roles": [role]}
                for number, (name, role) in enumerate({"dc1": "directory", host: "home"}.items(), 10)
            },
            "people": {"eva": {"given": "E", "family": "B", "department": "C", "roles": ["radiologist"]}},
            "partners": {"other": named} if partner else {},
            "flows": [{"from": "dc1", "to": host, "service": "partner-sign-on", "why": "Sign-on"}],
        },
        ROLES,
    )


def keys(folder: Path, **described: object) -> PartnerKeys:
    return PartnerKeys(**ensure_partners(site(**described), folder)["other"])  # type: ignore[arg-type]


def test_a_browser_that_knows_the_partners_ca_accepts_its_certificate(tmp_path: Path) -> None:
    found = keys(tmp_path)
    store = Store(x509.load_pem_x509_certificates(found.authority.encode()))
    leaf = x509.load_pem_x509_certificate(found.certificate.encode())
    chain = PolicyBuilder().store(store).build_server_verifier(x509.DNSName("home1.tiny.internal")).verify(leaf, [])
    assert len(chain) == 2
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_what_signs_statements_is_verified_with_its_own_certificate_and_no_other(tmp_path: Path) -> None:
    found = keys(tmp_path)
    certificate = x509.load_pem_x509_certificate(found.signing_certificate.encode())
    own = load_pem_private_key(found.signing_key.encode(), password=None)
    assert certificate.public_key() == own.public_key()
    assert certificate.issuer == certificate.subject
    assert certificate.public_key() != x509.load_pem_x509_certificate(found.authority.encode()).public_key()


def test_keys_stay_what_they_are_for_their_owner_alone_and_go_with_the_partner(tmp_path: Path) -> None:
    assert keys(tmp_path) == keys(tmp_path)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert ensure_partners(site(partner=False), tmp_path) == {} == read_partners(tmp_path)


def test_at_another_address_a_partner_has_other_keys(tmp_path: Path) -> None:
    assert keys(tmp_path) != keys(tmp_path, host="home2")


def test_a_damaged_file_is_an_error_and_not_a_new_start(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("nonsense")
    with pytest.raises(DamagedFileError, match=r"partners\.json"):
        ensure_partners(site(), tmp_path)


def test_a_partners_people_have_secrets_of_their_own_under_names_that_nobody_of_the_house_can_have(
    tmp_path: Path,
) -> None:
    found = ensure_secrets(site(), tmp_path)
    assert {name: list(owners) for name, owners in found.items()} == {
        "visitor_password": ["eva@other"],
        "visitor_seed": ["eva@other"],
        "person_password": ["eva"],
    }
    assert personal_secret(site(), tmp_path, "eva@other", "password") == found["visitor_password"]["eva@other"]
    assert personal_secret(site(), tmp_path, "eva", "password") == found["person_password"]["eva"]
