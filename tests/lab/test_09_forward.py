"""A forwarded port is the workstation's connection: the firewall judges it as it would judge the workstation."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

TARGET = "pacs-rad"
SERVICE = f"{TARGET}:dicomweb-tls"


@contextmanager
def forwarded(lab: Lab, workstation: str) -> Iterator[int]:
    """The archive's DICOMweb as seen from a host, on a port of this machine's loopback."""
    told = succeed("forward", SERVICE, "--as", workstation, "--background", "--lab", lab.name, "--json").json
    port = int(told["local"])
    try:
        yield port
    finally:
        succeed("forward", "--stop", str(port), "--lab", lab.name)


def context(lab: Lab, host: str) -> ssl.SSLContext:
    """TLS with a host's certificate."""
    pki = lab.folder / "pki"
    made = ssl.create_default_context(cafile=pki / "ca.crt")
    made.load_cert_chain(pki / "hosts" / host / "dicom-client.pem")
    return made


def status(lab: Lab, port: int, host: str) -> int:
    """The archive's answer to a query through the forward."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        name = lab.site.fqdn(TARGET)
        with context(lab, host).wrap_socket(plain, server_hostname=name) as secured:
            connection = http.client.HTTPConnection(name)
            connection.sock = secured
            connection.request("GET", "/dicom-web/studies?limit=1")
            return connection.getresponse().status


def test_a_reading_workstation_reaches_the_archive(lab: Lab) -> None:
    with forwarded(lab, "ws-rad1") as port:
        assert status(lab, port, "ws-rad1") in {200, 204}


def test_a_certificate_counts_at_its_own_address_through_a_forward_too(lab: Lab) -> None:
    with forwarded(lab, "ws-tech1") as port:
        assert status(lab, port, "ws-rad1") == 403


def test_a_guest_gets_no_further_than_the_firewall(lab: Lab) -> None:
    with forwarded(lab, "guest1") as port, socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"x")
        assert connection.recv(1) == b""


def test_a_stopped_forward_serves_no_more(lab: Lab) -> None:
    with forwarded(lab, "ws-rad1") as port:
        pass
    with socket.socket() as probe:
        probe.settimeout(5)
        assert probe.connect_ex(("127.0.0.1", port)) != 0
    assert pacslab("forward", "--stop", str(port), "--lab", lab.name).code == 2


def test_what_is_not_there_is_a_wrong_argument_with_what_is(lab: Lab) -> None:
    ran = pacslab("forward", f"{TARGET}:nothing", "--as", "ws-rad1", "--lab", lab.name)
    assert ran.code == 2
    assert "dicomweb-tls" in ran.err
