"""A browser in a workstation's place is told where the site's names lead, and whom it may believe there."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from lab.engine.lab import Lab
from lab.errors import UsageError
from lab.operate.browser import arguments, pages
from lab.topology.load import site_path
from lab.trust import ensure_partners, ensure_pki
from lab.trust.files import read_certificate
from lab.trust.partners import read_partners
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """The reference lab as it is described, with its PKI; none runs."""
    folder = tmp_path_factory.mktemp("state") / "reference"
    found = Lab.describe("reference", site_path("reference"), folder)
    ensure_pki(found.site, folder)
    ensure_partners(found.site, folder)
    return found


def test_a_workstation_opens_the_viewer_and_sign_ons_and_no_archive(lab: Lab) -> None:
    found = pages(lab.site, "ws-tech1")
    assert found.start.target == "web1"
    assert {(flow.source, flow.target) for flow in found.flows} == {
        ("ws-tech1", "web1"), ("ws-tech1", "idp1"), ("ws-tech1", "partner-idp1"),
    }  # fmt: skip


def test_without_a_name_it_is_a_workstation_of_people_and_not_the_sign_on_that_reaches_the_viewer_too(lab: Lab) -> None:
    assert pages(lab.site).start.source in {"ws-rad1", "ws-tech1"}


def test_names_lead_to_loopback_and_every_other_name_nowhere(lab: Lab, tmp_path: Path) -> None:
    found = pages(lab.site, "ws-rad1")
    served = dict(zip(found.flows, (40001, 40002, 40003), strict=True))
    given = arguments(lab, found, served, tmp_path)
    assert given[-1] == "https://web1.imaging.internal/"
    (rules,) = [option for option in given if option.startswith("--host-resolver-rules=")]
    wanted = {f"MAP {lab.site.fqdn(flow.target)} 127.0.0.1:{port}" for flow, port in served.items()}
    assert wanted <= set(rules.partition("=")[2].split(", "))
    assert "MAP * ~NOTFOUND" in rules


def test_the_keys_of_these_servers_alone_are_believed(lab: Lab, tmp_path: Path) -> None:
    found = pages(lab.site, "ws-rad1")
    given = arguments(lab, found, dict.fromkeys(found.flows, 40001), tmp_path)
    (said,) = [option for option in given if option.startswith("--ignore-certificate-errors")]
    files = [
        lab.folder / "pki" / "hosts" / host / f"{name}.crt" for host, name in (("web1", "viewer"), ("idp1", "sign-on"))
    ]
    partner = read_partners(lab.folder)["partner"]["certificate"]
    certificates = [*map(read_certificate, files), load_pem_x509_certificate(partner.encode())]
    keys = {
        base64.b64encode(
            hashlib.sha256(
                certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            ).digest()
        ).decode()
        for certificate in certificates
    }
    assert set(said.removeprefix("--ignore-certificate-errors-spki-list=").split(",")) == keys


def test_a_host_that_opens_no_page_is_refused(lab: Lab) -> None:
    with pytest.raises(UsageError, match="'ct1' opens no page of web1") as refused:
        pages(lab.site, "ct1")
    assert "ws-rad1" in (refused.value.remedy or "")


def test_a_host_is_opened_by_its_name(lab: Lab) -> None:
    found = pages(lab.site, "ws-rad1", "idp1")
    assert found.start.target == "idp1"
    assert {flow.target for flow in found.flows} == {"web1", "idp1", "partner-idp1"}


def test_a_host_without_pages_is_refused(lab: Lab) -> None:
    with pytest.raises(UsageError, match="'db1' has nothing that people open in a browser") as refused:
        pages(lab.site, host="db1")
    assert "web1" in (refused.value.remedy or "")


def test_a_site_without_a_viewer_says_so() -> None:
    with pytest.raises(UsageError, match="has nothing that people open in a browser"):
        pages(committed_site("small-practice"))
