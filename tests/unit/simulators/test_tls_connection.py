"""TLS below an association: nothing is lost or held back, a PDU leaves at once, and a refusal keeps its reason."""

from __future__ import annotations

import hashlib
import select
import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pynetdicom import AE, evt

from lab.trust.store import pki_folder
from simulators.association import associate, contexts
from simulators.errors import TlsRefusedError
from simulators.tls_connection import SWITCH, TlsConnection, TlsConnector
from tests.unit.simulators.peers import loopback_peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VERIFICATION = "1.2.840.10008.1.1"
NAME = "dicom-service.ris1.imaging.internal"


@pytest.fixture(scope="module")
def keys(pki: Path) -> Path:
    return pki_folder(pki)


@pytest.fixture
def server_side(keys: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys / "hosts/ris1/dicom.crt", keys / "hosts/ris1/dicom.key")
    context.load_verify_locations(keys / "ca.crt")
    context.verify_mode = ssl.CERT_REQUIRED
    return context


@pytest.fixture
def client_side(keys: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(keys / "ca.crt")
    context.load_cert_chain(keys / "hosts/ct1/dicom-client.crt", keys / "hosts/ct1/dicom-client.key")
    return context


class CountingSocket(socket.socket):
    """Counts what is handed to the kernel."""

    handed = 0

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Count and send."""
        self.handed += 1
        super().sendall(data, flags)


@contextmanager
def connected(
    client: ssl.SSLContext, server: ssl.SSLContext, serve: Callable[[ssl.SSLSocket], object]
) -> Iterator[tuple[TlsConnection, CountingSocket]]:
    """A connection to a server that does `serve` and hangs up."""

    def run() -> None:
        connection, _ = listener.accept()
        with server.wrap_socket(connection, server_side=True) as speaking:
            serve(speaking)

    with socket.create_server(("127.0.0.1", 0)) as listener, CountingSocket() as below:
        thread = threading.Thread(target=run)
        thread.start()
        connection = TlsConnector(client).wrap_socket(below, server_hostname=NAME)
        connection.settimeout(10)
        connection.connect(listener.getsockname())
        yield connection, below
        thread.join(10)
        assert not thread.is_alive()


def test_a_pdu_arrives_whole_and_is_handed_to_the_kernel_at_once(
    client_side: ssl.SSLContext, server_side: ssl.SSLContext
) -> None:
    pdu = b"".join(hashlib.sha256(bytes([number % 256])).digest() for number in range(4096))
    arrived = bytearray()

    def read(speaking: ssl.SSLSocket) -> None:
        while len(arrived) < len(pdu):
            arrived.extend(speaking.recv(65536))
        speaking.sendall(pdu)

    with connected(client_side, server_side, read) as (connection, below):
        before = below.handed
        assert connection.send(pdu) == len(pdu)
        assert below.handed == before + 1
        answer = b""
        while len(answer) < len(pdu):
            answer += connection.recv(4096)
        assert connection.recv(1) == b""
    assert (bytes(arrived), answer) == (pdu, pdu)


def test_what_came_along_with_what_was_read_is_not_held_back(
    client_side: ssl.SSLContext, server_side: ssl.SSLContext
) -> None:
    hang_up = threading.Event()

    def tell(speaking: ssl.SSLSocket) -> None:
        speaking.sendall(b"first second")
        hang_up.wait(10)

    with connected(client_side, server_side, tell) as (connection, _):
        assert connection.recv(6) == b"first "
        assert select.select([connection], [], [], 0)[0]
        assert connection.recv(6) == b"second"
        assert not select.select([connection], [], [], 0)[0]
        hang_up.set()
        assert select.select([connection], [], [], 10)[0]
        assert connection.recv(6) == b""


def test_a_peer_that_hangs_up_without_a_word_is_at_its_end(
    client_side: ssl.SSLContext, server_side: ssl.SSLContext
) -> None:
    with connected(client_side, server_side, lambda speaking: speaking.shutdown(socket.SHUT_RDWR)) as (connection, _):
        assert connection.recv(6) == b""


@pytest.fixture
def port(server_side: ssl.SSLContext) -> Iterator[int]:
    entity = AE(ae_title="RIS1")
    entity.supported_contexts = contexts([VERIFICATION])
    server = entity.start_server(
        ("127.0.0.1", 0), block=False, ssl_context=server_side, evt_handlers=[(evt.EVT_C_ECHO, lambda _: 0x0000)]
    )
    assert server is not None
    yield server.server_address[1]
    server.shutdown()


def test_an_association_is_opened_over_mutual_tls(client_side: ssl.SSLContext, port: int) -> None:
    with associate(loopback_peer(port), contexts([VERIFICATION]), calling="CT1", tls=client_side) as association:
        for _ in range(5):
            assert association.send_c_echo().Status == 0x0000
    assert association.is_released


def test_pythons_own_sockets_speak_tls_when_ours_are_switched_off(
    client_side: ssl.SSLContext, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, "1")
    with associate(loopback_peer(port), contexts([VERIFICATION]), calling="CT1", tls=client_side) as association:
        assert association.dul.socket is not None
        assert isinstance(association.dul.socket.socket, ssl.SSLSocket)
        assert association.send_c_echo().Status == 0x0000


def test_a_server_of_another_name_is_not_believed(client_side: ssl.SSLContext, port: int) -> None:
    other = replace(loopback_peer(port), identity="dicom-service.vna1.imaging.internal")
    opening = associate(other, contexts([VERIFICATION]), calling="CT1", tls=client_side)
    with pytest.raises(TlsRefusedError, match="CERTIFICATE_VERIFY_FAILED"), opening:
        pytest.fail("the association stood")


@pytest.mark.parametrize("name", ["syslog", "hl7-edge", "hl7", "database"])
def test_another_certificate_of_the_right_host_does_not_serve_dicom(
    keys: Path, client_side: ssl.SSLContext, name: str
) -> None:
    other = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    other.load_cert_chain(keys / f"hosts/ris1/{name}.crt", keys / f"hosts/ris1/{name}.key")
    entity = AE(ae_title="RIS1")
    entity.supported_contexts = contexts([VERIFICATION])
    server = entity.start_server(("127.0.0.1", 0), block=False, ssl_context=other)
    assert server is not None
    opening = associate(
        loopback_peer(server.server_address[1]), contexts([VERIFICATION]), calling="CT1", tls=client_side
    )
    with pytest.raises(TlsRefusedError, match="CERTIFICATE_VERIFY_FAILED"), opening:
        pytest.fail("the association stood")
    server.shutdown()


def test_a_servers_certificate_does_not_call(keys: Path, client_side: ssl.SSLContext, port: int) -> None:
    client_side.load_cert_chain(keys / "hosts/ct1/dicom.crt", keys / "hosts/ct1/dicom.key")
    opening = associate(loopback_peer(port), contexts([VERIFICATION]), calling="CT1", tls=client_side)
    with pytest.raises(TlsRefusedError, match="UNSUPPORTED_CERTIFICATE"), opening:
        pytest.fail("the association stood")


def test_a_client_without_a_certificate_is_told_why(keys: Path, port: int) -> None:
    anonymous = ssl.create_default_context(cafile=keys / "ca.crt")
    opening = associate(loopback_peer(port), contexts([VERIFICATION]), calling="CT1", tls=anonymous)
    with pytest.raises(TlsRefusedError, match="CERTIFICATE_REQUIRED"), opening:
        pytest.fail("the association stood")
