"""Settings, senders and messages for the tests of the simulators."""

from __future__ import annotations

import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from simulators.hl7content import Envelope, Patient
from simulators.hl7memory import Acceptance, content_of
from simulators.hl7messages import Party
from simulators.proxy_protocol import SIGNATURE, Sender
from simulators.settings import Peer, Settings, parse

if TYPE_CHECKING:
    from simulators.hl7messages import Message

EHR, RIS, WORKSTATION = (Party.of(name, "reference") for name in ("ehr1", "ris1", "ws-rad1"))
IDENTITIES = {
    "dicom-tls": "dicom-service",
    "hl7-tls": "hl7-service",
    "dicomweb-tls": "web",
    "postgresql": "database",
    "syslog-tls": "syslog-service",
}
"""What a client of each service wants its certificate to be, as the roles say."""
ANNA = Patient("P0000001", "REFERENCE", "Weber", "Anna", "19700412", "F")


def peer(name: str, service: str, role: str, permits: list[str], port: int = 2575) -> dict[str, object]:
    return {
        "name": name,
        "fqdn": f"{name}.imaging.internal",
        "identity": f"{IDENTITIES[service]}.{name}.imaging.internal",
        "address": "127.0.0.1",
        "ae_title": name.upper(),
        "roles": [role],
        "service": service,
        "port": port,
        "permits": permits,
    }


def caller(name: str, service: str, permits: list[str], modality: str | None = None) -> dict[str, object]:
    return {**peer(name, service, "x", permits), "modality": modality}


def ris_settings(**listen: int) -> Settings:
    """Return the settings of a RIS with an EHR, two image managers, two CTs and an MR."""
    mpps = ["C-ECHO", "MWL", "MPPS"]
    return parse(
        {
            "host": {"name": "ris1", "fqdn": "ris1.imaging.internal", "address": "127.0.0.1", "ae_title": "RIS1"},
            "site": {"name": "reference", "domain": "imaging.internal"},
            "tls": {"ca": "/none/ca.crt", "crl": "/none/crl.pem", "certificates": {}},
            "listen": listen,
            "peers": [
                peer("db1", "postgresql", "postgresql", [], 5432),
                peer("ehr1", "hl7-tls", "ehr", ["ORM^O01", "ORU^R01"]),
                peer("pacs-rad", "hl7-tls", "image_manager", ["ORM^O01", "ADT^A08", "ADT^A40"]),
                peer("vna1", "hl7-tls", "image_manager", ["ADT^A08", "ADT^A40"]),
            ],
            "callers": [
                caller("ehr1", "hl7-tls", ["ADT^A04", "ADT^A08", "ADT^A40", "ORM^O01"]),
                caller("ws-rad1", "hl7-tls", ["ORU^R01"]),
                caller("ct1", "dicom-tls", mpps, "CT"),
                caller("ct2", "dicom-tls", mpps, "CT"),
                caller("mr1", "dicom-tls", mpps, "MR"),
                caller("echo1", "dicom-tls", ["C-ECHO"]),
                caller("pacs-rad", "dicom-tls", ["IAN"]),
                caller("vna1", "dicom-tls", ["IAN"]),
            ],
        }
    )


WORKSTATION_SETTINGS = parse(
    {
        "host": {"name": "ws-rad1", "fqdn": "ws-rad1.imaging.internal", "address": "127.0.0.1", "ae_title": "WSRAD1"},
        "site": {"name": "reference", "domain": "imaging.internal"},
        "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
        "listen": {},
        "peers": [peer("ris1", "hl7-tls", "ris", ["ORU^R01"])],
        "callers": [],
    }
)
"""Settings of a workstation without certificates."""


def loopback_peer(port: int, ae_title: str = "RIS1", service: str = "dicom-tls") -> Peer:
    name = "ris1.imaging.internal"
    return Peer("ris1", name, "127.0.0.1", ae_title, ("ris",), service, port, (), f"{IDENTITIES[service]}.{name}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def sender(name: str | None) -> Sender:
    return Sender(None if name is None else f"{name}.imaging.internal", "127.0.0.1", 40000)


def from_ehr(control_id: str = "C1") -> Envelope:
    return Envelope(EHR, RIS, control_id)


def proxy_header(name: str | None, *, verify: int = 0, command: int = 0x21) -> bytes:
    """Return a PROXY header (v2) as HAProxy's ``send-proxy-v2-ssl-cn`` writes it."""
    common = b"" if name is None else b"\x22" + len(name).to_bytes(2, "big") + name.encode()
    inner = b"\x21\x00\x07TLSv1.3" + common
    value = bytes([0x07]) + verify.to_bytes(4, "big") + inner
    body = bytes([10, 24, 50, 12, 10, 24, 50, 11]) + (40000).to_bytes(2, "big") + (2575).to_bytes(2, "big")
    body += b"\x20" + len(value).to_bytes(2, "big") + value
    return SIGNATURE + bytes([command, 0x11]) + len(body).to_bytes(2, "big") + body


class MemoryInbox:
    """An inbox that keeps messages in a list."""

    def __init__(self) -> None:
        """Begin empty."""
        self.taken: list[Message] = []
        self._seen: dict[tuple[str, str], str] = {}

    def accept(self, sender: str, message: Message) -> Acceptance:
        """Take a message once."""
        content = content_of(message.text)
        if self._seen.setdefault((sender, message.control_id), content) != content:
            return Acceptance.OTHER_CONTENT
        if any(taken.text == message.text for taken in self.taken):
            return Acceptance.REPEATED
        self.taken.append(message)
        return Acceptance.NEW


def renamed(patient: Patient, identifier: str) -> Patient:
    return replace(patient, identifier=identifier)
