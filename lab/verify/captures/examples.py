"""What a witness of a site's network must recognise, by the name of the rule, and what is nothing to it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from lab.engine.packets import IPV4, frame, tcp
from lab.verify.captures.conversation import FIN, PSH, URG, called, client, connection, echo_request, server
from lab.verify.captures.handshakes import ANY_STRENGTH, FATAL_UNKNOWN_CA, V10, V12, V13, certificate, handshake
from lab.verify.captures.messages import ASSOCIATE_AC, ASSOCIATE_RQ, associate, hl7, image_file, rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from lab.topology.site import ResolvedFlow, Site
    from lab.verify.captures.conversation import Said
    from lab.verify.captures.handshakes import Shown

STRANGER, NOWHERE = "203.0.113.77", "198.51.100."
"""Addresses that nobody has (RFC 5737)."""
UNNAMED = "NOBODY"
"""An AE title of no host."""
MANY = 12
"""More than a witness lets pass unless the site says otherwise."""
CALLING_FROM = 40_000
UNOFFERED = 20_000
"""The first of some ports at which no role offers anything."""
PROGRAMS = (b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How programs of Windows, Linux, scripts, and programs of macOS begin."""


@dataclass(frozen=True)
class Stage:
    """Two hosts of a site that talk.

    Attributes:
        one: The address of who calls.
        other: The address of who is called.
        port: Where it is called: a port of some flow, and of none to this host, so that no rule asks who may call.
    """

    one: str
    other: str
    port: int

    @classmethod
    def of(cls, site: Site) -> Stage:
        """Two hosts of a site, whether or not a flow is between them: rules look inside what they say."""
        flow = next(flow for flow in site.flows if flow.protocol == "tcp")
        offering = {entry.target for entry in site.flows if entry.port == flow.port}
        other = next(host for host in site.hosts if host not in {flow.source, *offering})
        return cls(str(site.hosts[flow.source].address), str(site.hosts[other].address), flow.port)


class Talk:
    """Writes conversations between two hosts, each from a port of its own."""

    def __init__(self, stage: Stage) -> None:
        """Begin with the first port."""
        self.stage = stage
        self._ports = count(CALLING_FROM)

    def of(self, *said: Said) -> list[bytes]:
        """The frames of one connection."""
        return list(connection(self.stage.one, self.stage.other, (next(self._ports), self.stage.port), said))


def examples(site: Site) -> dict[str, list[bytes]]:
    """Frames that each rule must recognise, by its name."""
    stage = Stage.of(site)
    talk = Talk(stage)
    return {**_in_clear(site, talk), **_under_tls(talk), **_strangers(site, stage)}


def everyday(site: Site, shown: Shown) -> list[bytes]:
    """Frames of a usual day, with a certificate of the site's authority: calls of declared flows, and what they say."""
    flow = next(flow for flow in site.flows if flow.protocol == "tcp")
    caller, server_ = str(site.address_towards(flow.source, flow.target)), str(site.hosts[flow.target].address)
    ports = count(CALLING_FROM)
    talks: list[Iterable[Said]] = [
        handshake(shown, V13),
        handshake(shown, V12, by_client=shown),
        [client(b"GET /crl.pem HTTP/1.1\r\n\r\n"), server(b"HTTP/1.1 404 Not Found\r\n\r\nMSH|DICM")],
    ]
    frames = [octets for said in talks for octets in connection(caller, server_, (next(ports), flow.port), said)]
    return [*frames, echo_request(caller, server_)]


def _in_clear(site: Site, talk: Talk) -> dict[str, list[bytes]]:
    known = next((host.ae_title for host in site.hosts.values() if host.ae_title), UNNAMED)
    asked = client(associate(ASSOCIATE_RQ, known, known))
    return {
        "dicom-in-clear": talk.of(asked),
        "dicom-in-clear-accepted": talk.of(asked, server(associate(ASSOCIATE_AC, known, known))),
        "dicom-unknown-calling-title": talk.of(client(associate(ASSOCIATE_RQ, known, UNNAMED))),
        "dicom-unknown-called-title": talk.of(client(associate(ASSOCIATE_RQ, UNNAMED, known))),
        "dicom-title-guessing": _often(lambda: talk.of(asked, server(rejected()))),
        "dicom-preamble-program": [
            octets
            for program in PROGRAMS
            for octets in talk.of(server(b"HTTP/1.1 200 OK\r\n\r\n" + image_file(program)))
        ],
        "hl7-in-clear": talk.of(client(hl7())),
        "hl7-in-clear-later": talk.of(client(b"\r\n" + hl7())),
    }


def _under_tls(talk: Talk) -> dict[str, list[bytes]]:
    shown = certificate()
    begun = list(handshake(shown, V12))[:2]
    return {
        "tls-version": talk.of(*handshake(shown, V10, ANY_STRENGTH)),
        "tls-suite": talk.of(*handshake(shown, V12, "ECDHE-ECDSA-AES128-SHA")),
        "tls-expired": talk.of(*handshake(certificate(days=1, since=2), V12)),
        "tls-foreign": talk.of(*handshake(shown, V12)),
        "tls-guessing": _often(lambda: talk.of(*begun, client(FATAL_UNKNOWN_CA))),
    }


def _strangers(site: Site, stage: Stage) -> dict[str, list[bytes]]:
    one, other, ports = stage.one, stage.other, (CALLING_FROM, stage.port)
    flow, uncalled = next(
        (flow, address) for flow in site.flows if flow.protocol == "tcp" for address in _not_calling(site, flow)
    )
    target = str(site.hosts[flow.target].address)
    return {
        "unknown-address": [called(STRANGER, other, ports)],
        "scan-addresses": [called(one, f"{NOWHERE}{number}", ports) for number in range(MANY)],
        "scan-ports": [called(one, other, (CALLING_FROM, UNOFFERED + number)) for number in range(MANY)],
        "scan-segments": [frame(one, other, IPV4, tcp(one, other, ports, flags)) for flags in (0, FIN | PSH | URG)],
        "unlisted-caller": [called(uncalled, target, (CALLING_FROM, flow.port))],
    }


def _not_calling(site: Site, flow: ResolvedFlow) -> Iterator[str]:
    """Addresses of hosts that may not call the target of a flow at its port."""
    callers = {entry.source for entry in site.flows if (entry.target, entry.port) == (flow.target, flow.port)}
    return (str(host.address) for name, host in site.hosts.items() if name not in {flow.target, *callers})


def _often(talk: Callable[[], list[bytes]]) -> list[bytes]:
    return [octets for _ in range(MANY) for octets in talk()]
