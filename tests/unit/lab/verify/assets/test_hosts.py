"""What is installed on a host and what its services show is held against its image and the lab's certificates."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import lab.verify.assets.show_certificates as program
from lab.assets.model import Installed, Kind
from lab.assets.tell import FUNCTION
from lab.results.model import Outcome
from lab.topology.load import site_names
from lab.verify.assets.certificates import judge_service, proving
from lab.verify.assets.finding import event_of
from lab.verify.assets.sabotages import mutations
from lab.verify.assets.scan import SERVICES
from lab.verify.assets.software import judge_host
from lab.verify.registry import checks
from simulators.events.actions import ACTIONS
from simulators.events.keys import FIXED
from tests.unit.lab.assets.packages import package
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.site import Site

SITE = committed_site("reference")
HOST, SERVICE = "pacs-rad", "dicom-tls"
IMAGE = Installed((package(Kind.DEBIAN, "a", "1"), package(Kind.PYTHON, "b", "2")), "image x")


def certificate(days: int) -> tuple[bytes, bytes, str]:
    """A key and certificate that end in so many days (PEM), and the certificate's fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pacs-rad.imaging.internal")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    own = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return own, made.public_bytes(Encoding.PEM), made.fingerprint(hashes.SHA256()).hex()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A TLS service that asks its callers for a certificate, as an edge does."""
    folder = tmp_path_factory.mktemp("served")
    key, chain, fingerprint = certificate(100)
    (folder / "service.pem").write_bytes(key + chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "service.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=chain.decode())
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    plain, _ = server.accept()
                except OSError:
                    return
                try:
                    context.wrap_socket(plain, server_side=True).close()
                except OSError:
                    plain.close()

        threading.Thread(target=serve, daemon=True).start()
        yield {"port": server.getsockname()[1], "fingerprint": fingerprint}


def asked(port: int) -> dict[str, str]:
    task = json.dumps([{"address": "127.0.0.1", "port": port, "name": "pacs-rad.imaging.internal"}])
    command = [sys.executable, "-I", str(Path(program.__file__)), task]
    (answer,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return dict(answer)


def test_a_service_that_asks_for_a_certificate_shows_its_own_to_who_has_none(served: dict[str, Any]) -> None:
    answer = asked(served["port"])
    assert answer["version"] == "TLSv1.3"
    result = judge_service(SITE, HOST, SERVICE, answer, {served["fingerprint"]})
    assert result.outcome is Outcome.PASSED


def test_another_certificate_than_the_issued_one_is_told(served: dict[str, Any]) -> None:
    result = judge_service(SITE, HOST, SERVICE, asked(served["port"]), {"00" * 32})
    assert (result.outcome, result.facts["reason"]) == (Outcome.FAILED, "changed-asset")
    assert "another certificate: CN=pacs-rad.imaging.internal" in result.observed


def test_a_service_that_is_not_there_is_missing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    result = judge_service(SITE, HOST, SERVICE, asked(port), set())
    assert (result.outcome, result.facts["reason"]) == (Outcome.FAILED, "missing-asset")
    assert "ConnectionRefusedError" in result.observed


@pytest.mark.parametrize(
    ("days", "version", "good"), [(31, "TLSv1.3", True), (29, "TLSv1.3", False), (31, "TLSv1.1", False)]
)
def test_a_certificate_that_ends_soon_and_an_old_version_are_told(days: int, version: str, *, good: bool) -> None:
    _, chain, fingerprint = certificate(days)
    der = x509.load_pem_x509_certificate(chain).public_bytes(Encoding.DER).hex()
    answer = {"version": version, "suite": "x", "certificate": der}
    result = judge_service(SITE, HOST, SERVICE, answer, {fingerprint})
    assert (result.outcome is Outcome.PASSED) is good
    event = event_of(result)
    assert (event is None) is good
    if event is not None:
        assert event.keys() <= {*FIXED, *ACTIONS["find-asset"].facts}


@pytest.mark.parametrize("name", site_names())
def test_every_service_that_proves_itself_can_be_judged(name: str) -> None:
    site = committed_site(name)
    proven = {(host, service) for host in site.managed for service in proving(site, host)}
    assert proven
    for host, service in proven:
        assert judge_service(site, host, service, {"why": "x"}, set()).outcome is Outcome.FAILED


def test_a_host_with_the_packages_of_its_image_is_as_described() -> None:
    assert judge_host("pacs-rad", IMAGE, Installed(IMAGE.packages, "running")).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("packages", "observed"),
    [
        ((*IMAGE.packages, package(Kind.DEBIAN, "c", "1")), "also pkg:deb/c@1"),
        (IMAGE.packages[:1], "without pkg:pypi/b@2"),
        ((IMAGE.packages[0], package(Kind.PYTHON, "b", "3")), "also pkg:pypi/b@3; without pkg:pypi/b@2"),
    ],
)
def test_a_package_more_or_less_or_in_another_version_is_told(packages: tuple[Any, ...], observed: str) -> None:
    result = judge_host("pacs-rad", IMAGE, Installed(packages, "running"))
    assert (result.outcome, result.observed) == (Outcome.FAILED, observed)
    event = event_of(result)
    assert event is not None
    assert event.keys() <= {*FIXED, *ACTIONS["find-asset"].facts}


def test_where_the_image_has_no_list_nothing_is_claimed() -> None:
    result = judge_host("pacs-rad", Installed(reason="not built"), IMAGE)
    assert (result.outcome, result.reason) == (Outcome.SKIPPED, "not built.")


def found_from(site: Site) -> set[str]:
    """What a site without a host that looks for assets does not promise."""
    return {SERVICES.id} if site.with_function(FUNCTION) else set()


@pytest.mark.parametrize("name", site_names())
def test_every_site_can_be_sabotaged_in_every_way(name: str) -> None:
    site = committed_site(name)
    changes = list(mutations(site))
    promised = {promise.id for promise in checks()["assets"].promises}
    assert {change.promise for change in changes} | ({SERVICES.id} - found_from(site)) == promised
    assert all(not change.host or change.host in site.hosts for change in changes)
