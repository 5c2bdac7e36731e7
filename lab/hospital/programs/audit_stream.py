"""Send numbered audit messages to the repository, or the same as plain lines to the collector; sent to a host as text.

Argument: a JSON object. ``address``, ``port``, ``identity``, ``certificate``, ``key``, ``ca``: whom to call, and as
whom. ``run``, ``first``, ``count``: the messages' run and numbers. ``rate``: messages a second, 0 for as many as it
takes. ``seconds``: no more are begun after so long, 0 for no end. ``patience``: seconds for which nothing need be
acknowledged. ``content``: of every message another one than an audit message. ``alarming``: of every message one that
a rule alarms about, each of another AE title. ``plain``: nothing is acknowledged; a last line with ``run`` as its
content follows.

Prints a JSON object: ``sent`` (the last number), ``acknowledged``, ``seconds`` from the first octet to the last
acknowledgement, ``median`` and ``slowest`` seconds from sending to acknowledging (of 99 %), ``connections``, and
``processor``, seconds of processor time that sending took.
"""

from __future__ import annotations

import json
import select
import socket
import ssl
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

PROTOCOL = "pacslab-audit"
AT_ONCE = 100
"""Messages that are written together."""
ON_THE_WAY = 8_000
"""Messages that may be sent and not acknowledged."""
PAUSE = 0.2

_CODE = '<{} csd-code="{}" codeSystemName="{}" originalText="{}"/>'


def coded(element: str, value: str, text: str, system: str = "DCM") -> str:
    """Return a code as PS3.15 A.5 writes it."""
    return _CODE.format(element, value, system, text)


def participant(user: str, role: str, requests: str, point: str) -> str:
    """Return an active participant."""
    code = coded("RoleIDCode", role, "a role of CID 402") if role else ""
    return (
        f'<ActiveParticipant UserID="{user}" AlternativeUserID="AETITLES=CT1" UserName="pacslab-modality"'
        f' UserIsRequestor="{requests}" NetworkAccessPointID="{point}" NetworkAccessPointTypeCode="1">{code}'
        "</ActiveParticipant>"
    )


def message(number: int, when: str) -> bytes:
    """Return DICOM Instances Transferred (PS3.15 A.5.3.7), of some 2.1 kB with its header."""
    description = (
        f'<ParticipantObjectDescription><Accession Number="AB{number % 10_000:07}"/>'
        '<SOPClass UID="1.2.840.10008.5.1.4.1.1.2" NumberOfInstances="120"/></ParticipantObjectDescription>'
    )
    study = (
        f'<ParticipantObjectIdentification ParticipantObjectID="1.2.826.0.1.3680043.9.{number % 10_000}"'
        ' ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3">'
        + coded("ParticipantObjectIDTypeCode", "110180", "Study Instance UID")
        + f"<ParticipantObjectName/>{description}</ParticipantObjectIdentification>"
    )
    patient = (
        f'<ParticipantObjectIdentification ParticipantObjectID="PB{number % 5_000:07}" ParticipantObjectTypeCode="1"'
        ' ParticipantObjectTypeCodeRole="1">'
        + coded("ParticipantObjectIDTypeCode", "2", "Patient Number", "RFC-3881")
        + "<ParticipantObjectName/></ParticipantObjectIdentification>"
    )
    text = (
        f'<?xml version="1.0"?><AuditMessage><EventIdentification EventActionCode="R" EventDateTime="{when}"'
        f' EventOutcomeIndicator="0">{coded("EventID", "110104", "DICOM Instances Transferred")}'
        f"{coded('EventTypeCode', 'RAD-8', 'RAD-8', 'IHE Transactions')}</EventIdentification>"
        + participant("pacslab-modality[1234]", "110153", "false", "ct1.imaging.internal")
        + participant("pacs-rad.imaging.internal", "110152", "false", "pacs-rad.imaging.internal")
        + participant(f"person{number % 40}@imaging.internal", "", "true", "ct1.imaging.internal")
        + '<AuditSourceIdentification AuditEnterpriseSiteID="reference" AuditSourceID="ct1.imaging.internal">'
        f'<AuditSourceTypeCode csd-code="2"/></AuditSourceIdentification>{study}{patient}</AuditMessage>'
    )
    return text.encode()


def alarming(number: int, run: str, when: str) -> bytes:
    """Return Security Alert (PS3.15 A.5.3.11): a certificate was used with another device's AE title."""
    detail = '<ParticipantObjectDetail type="Alert Description" value="YXNzb2NpYXRlIHJlZnVzZWQ6IGFlLW1pc21hdGNo"/>'
    alert = (
        '<ParticipantObjectIdentification ParticipantObjectID="ct1.imaging.internal" ParticipantObjectTypeCode="2"'
        ' ParticipantObjectTypeCodeRole="13">'
        + coded("ParticipantObjectIDTypeCode", "110182", "Node ID")
        + f"<ParticipantObjectName/>{detail}</ParticipantObjectIdentification>"
    )
    caller = participant("ct1.imaging.internal", "110153", "false", "ct1.imaging.internal")
    text = (
        f'<?xml version="1.0"?><AuditMessage><EventIdentification EventActionCode="E" EventDateTime="{when}"'
        f' EventOutcomeIndicator="8">{coded("EventID", "110113", "Security Alert")}'
        f"{coded('EventTypeCode', '110126', 'Node Authentication')}"
        "<EventOutcomeDescription>refused: ae-mismatch</EventOutcomeDescription></EventIdentification>"
        + participant("haproxy[1234]", "110150", "false", "pacs-rad.imaging.internal")
        + caller.replace("AETITLES=CT1", f"AETITLES=X{run[:4]}{number}")
        + '<AuditSourceIdentification AuditEnterpriseSiteID="reference" AuditSourceID="pacs-rad.imaging.internal">'
        f'<AuditSourceTypeCode csd-code="2"/></AuditSourceIdentification>{alert}</AuditMessage>'
    )
    return text.encode()


@dataclass
class Stream:
    """What is sent, and how far it has come."""

    asked: dict[str, Any]
    contents: list[bytes]
    begun: float = 0.0
    sent: int = 0
    acknowledged: int = 0
    connections: int = 0
    heard: float = 0.0
    way: list[tuple[int, float]] = field(default_factory=list)
    took: list[float] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The number that ends it."""
        return int(self.asked["first"]) + int(self.asked["count"]) - 1

    def over(self) -> bool:
        """Whether no more is to be begun."""
        seconds = self.asked["seconds"]
        return self.sent >= self.last or bool(seconds and time.monotonic() - self.begun > seconds)

    def due(self) -> int:
        """How many may be sent now."""
        room = min(AT_ONCE, self.last - self.sent, ON_THE_WAY - (self.sent - self.acknowledged))
        if self.asked["rate"]:
            since = self.sent - int(self.asked["first"]) + 1
            room = min(room, int((time.monotonic() - self.begun) * self.asked["rate"]) + 1 - since)
        return max(0, room)

    def framed(self, number: int) -> bytes:
        """Return a message in its frame (RFC 5425 4.3)."""
        head = b'<85>1 %b %b pacslab-modality 1234 DICOM+RFC3881 [pacslab@32473 seq="%d" run="%b"] ' % (
            self.asked["when"].encode(), socket.gethostname().encode(), number, self.asked["run"].encode(),
        )  # fmt: skip
        content = self.contents[number % len(self.contents)]
        return b"%d %b%b" % (len(head) + len(content), head, content)


def connect(asked: dict[str, Any]) -> ssl.SSLSocket:
    """Call, as the host's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(asked["ca"])
    context.load_cert_chain(asked["certificate"], asked["key"])
    if not asked["plain"]:
        context.set_alpn_protocols([PROTOCOL])
    plain = socket.create_connection((asked["address"], asked["port"]), timeout=10)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = context.wrap_socket(plain, server_hostname=asked["identity"])
    if not asked["plain"] and connection.selected_alpn_protocol() != PROTOCOL:
        raise OSError("no repository answers there")
    return connection


def converse(stream: Stream, connection: ssl.SSLSocket) -> None:
    """Send what is left until it is acknowledged, or the connection ends."""
    stream.sent, stream.way, rest = stream.acknowledged, [], b""
    connection.settimeout(10)
    while not (stream.over() and stream.acknowledged >= stream.sent):
        number = 0 if stream.over() else stream.due()
        if number:
            connection.sendall(b"".join(stream.framed(stream.sent + place) for place in range(1, number + 1)))
            stream.sent += number
            stream.way.append((stream.sent, time.monotonic()))
        readable = connection.pending() or select.select([connection], [], [], 0 if number else 0.005)[0]
        if readable:
            rest = hear(stream, rest + received(connection))
        elif stream.acknowledged < stream.sent and time.monotonic() - max(stream.heard, stream.way[-1][1]) > 20:  # noqa: PLR2004 - as the daemon
            raise TimeoutError("no acknowledgement")


def received(connection: ssl.SSLSocket) -> bytes:
    """What has come; nothing where it was TLS's own."""
    connection.settimeout(0)
    try:
        came = connection.recv(65536)
    except (BlockingIOError, ssl.SSLWantReadError):
        return b""
    finally:
        connection.settimeout(10)
    if not came:
        raise ConnectionResetError("it has ended")
    return came


def hear(stream: Stream, data: bytes) -> bytes:
    """Take acknowledgements; return what is no whole line yet."""
    *lines, rest = data.split(b"\n")
    now = time.monotonic()
    for line in lines:
        words = line.split(b" ")
        if words[0] == b"ACK" and words[1].decode() == stream.asked["run"]:
            stream.acknowledged, stream.heard = max(stream.acknowledged, int(words[2])), now
    while stream.way and stream.way[0][0] <= stream.acknowledged:
        stream.took.append(now - stream.way.pop(0)[1])
    return rest


def deliver(stream: Stream) -> None:
    """Send everything, over as many connections as it takes within its patience."""
    until = time.monotonic() + stream.asked["patience"]
    while True:
        before = stream.acknowledged
        try:
            with connect(stream.asked) as connection:
                stream.connections += 1
                converse(stream, connection)
        except OSError:
            if stream.acknowledged > before:
                until = time.monotonic() + stream.asked["patience"]
            if time.monotonic() > until:
                return
            time.sleep(PAUSE)
            continue
        return


def deliver_plain(stream: Stream) -> None:
    """Send everything as lines, and one that ends it."""
    with connect(stream.asked) as connection:
        stream.connections += 1
        while not stream.over():
            number = min(AT_ONCE, stream.last - stream.sent)
            connection.sendall(b"".join(stream.framed(stream.sent + place) for place in range(1, number + 1)))
            stream.sent += number
        end = b"<85>1 %b - pacslab-end - - - %b" % (stream.asked["when"].encode(), stream.asked["run"].encode())
        connection.sendall(b"%d %b" % (len(end), end))
        # What TLS has sent by itself is read too: a connection that is closed with something unread is reset, and what
        # the collector has not read yet is lost.
        connection.settimeout(stream.asked["patience"])
        with suppress(OSError):
            connection.unwrap()


def contents_of(asked: dict[str, Any]) -> list[bytes]:
    """Return what stands in the messages, which take turns."""
    if asked.get("content"):
        return [asked["content"].encode()]
    if asked.get("alarming"):
        return [alarming(number, asked["run"], asked["when"]) for number in range(2_000)]
    return [message(number, asked["when"]) for number in range(2_000)]


def main() -> None:
    """Send, and say what came of it."""
    asked = json.loads(sys.argv[1])
    asked["when"] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
    contents = contents_of(asked)
    spent = time.process_time()
    stream = Stream(asked, contents, begun=time.monotonic())
    stream.sent = stream.acknowledged = int(asked["first"]) - 1
    (deliver_plain if asked["plain"] else deliver)(stream)
    took = sorted(stream.took) or [0.0]
    result = {
        "sent": stream.sent,
        "acknowledged": stream.acknowledged,
        "seconds": max(stream.heard, stream.begun) - stream.begun or time.monotonic() - stream.begun,
        "median": took[len(took) // 2],
        "slowest": took[len(took) * 99 // 100],
        "connections": stream.connections,
        "processor": time.process_time() - spent,
    }
    print(json.dumps(result))  # noqa: T201 - that is the answer


if __name__ == "__main__":
    main()
