"""An audit message as XML (PS3.15 A.5), made of an event by a row of the table; and its syslog header (RFC 5424).

A message is ASCII: what is not stands as a character reference, and what XML cannot hold as an escape of Python's, so
that nothing in it depends on how a receiver decodes it. Identifiers that an event does not tell, but its message cannot
be without, are :data:`NOT_TOLD`.
"""

from __future__ import annotations

import base64
import ipaddress
import re
import struct
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from simulators.audit import codes
from simulators.audit.codes import HL7_EVENTS, SERVICES, TRANSACTIONS, Code
from simulators.audit.table import SPEAK_DICOM, About, Row, Who, rows_for
from simulators.events.actions import ACTIONS, DIRECTORY, SIGN_ON
from simulators.events.vocabulary import Outcome
from simulators.printable import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from simulators.audit.told import Told

NOT_TOLD = "<none>"
"""Stands where a message needs an identifier that the event does not tell; no identifier begins like this."""
LONGEST = 200
"""Characters of a value, as in an event; what is longer is cut and ends with ``…``."""
SHORTER = 32
"""Characters of a value where a message would be longer than one may be."""
LONGEST_MESSAGE = 32_768
"""Octets that every receiver takes (PS3.15 A.6)."""
LONGEST_HEADER = 768
PRIORITY, MSGID = 85, "DICOM+RFC3881"
"""Facility 10, severity 5; and what PS3.15 A.6 names as MSGID."""
ENTERPRISE = "pacslab@32473"
"""SD-ID of sequence and run; 32473 is the number for examples (RFC 5612)."""

IDENTIFYING = frozenset({"patient", "study", "accession", "prior", "item", "moved", "path"})
"""Facts that stand in no detail, since they name a patient or may: what of it an event is about has its own field."""
OF_THE_PROGRAM = frozenset({"trace", "error", "remedy", "detail", "undeclared"})
"""Facts that stand in no detail, since they tell of our program and not of what was done."""
OF_OTHER_PROGRAMS = ("verb", "target", "status", "unit", "change", "group")
"""What is told of a line of another program's."""
OUTCOMES = {Outcome.SUCCESS: "0", Outcome.WAITING: "4", Outcome.REFUSED: "8", Outcome.FAILED: "8"}
MINOR = frozenset({"wrong-password", "wrong-code", "used-code", "expired-form", "wrong-key"})
"""The person may try again (A.5.2: "invalid password with first retry")."""
MAJOR = frozenset({"account-locked", "account-disabled"})
"""It is no longer available (A.5.2: "user account disabled due to excessive invalid log-on attempts")."""

MODALITY_WORKLIST, STUDY_ROOT = "1.2.840.10008.5.1.4.31", "1.2.840.10008.5.1.4.1.2.2.1"
QUERIED = {"RAD-5": MODALITY_WORKLIST, "RAD-14": STUDY_ROOT}
"""SOP class that a transaction queries; those over HTTP query none."""
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
ASKED_BY_NAME = frozenset({SIGN_ON, DIRECTORY})
"""Programs whose peer is always who asks them, also where it has a name."""
KEYS: dict[str, tuple[int, int, bytes]] = {
    "level": (0x0008, 0x0052, b"CS"),
    "accession": (0x0008, 0x0050, b"SH"),
    "instance": (0x0008, 0x0018, b"UI"),
    "patient": (0x0010, 0x0020, b"LO"),
    "study": (0x0020, 0x000D, b"UI"),
    "series": (0x0020, 0x000E, b"UI"),
    "station": (0x0040, 0x0001, b"AE"),
    "step": (0x0040, 0x0009, b"SH"),
}
"""Matching keys of a query that an event tells, with tag and VR (PS3.6)."""


@dataclass(frozen=True)
class Source:
    """The host that reports (A.5.2, Audit Source), and the hosts that it can name."""

    name: str
    fqdn: str
    site: str
    domain: str
    ae_title: str = ""
    kind: str = "9"
    """Audit Source Type Code (A.5.1.2.1)."""
    names: Mapping[str, str] = field(default_factory=dict)
    """DNS name of each host by its name, its address and its AE title."""


@dataclass(frozen=True)
class Participant:
    """An active participant (A.5.2): people and accounts have no role of CID 402, everything else has one."""

    user: str
    requests: bool = False
    role: Code | None = None
    alternative: str = ""
    name: str = ""
    point: str = ""
    media: Code | None = None

    def xml(self) -> str:
        """Return its element."""
        point = f' NetworkAccessPointID="{escaped(self.point)}" NetworkAccessPointTypeCode="{_kind(self.point)}"'
        role = _coded("RoleIDCode", self.role) if self.role else ""
        media = f"<MediaIdentifier>{_coded('MediaType', self.media)}</MediaIdentifier>" if self.media else ""
        return (
            f'<ActiveParticipant UserID="{escaped(self.user)}"'
            f"{_attribute('AlternativeUserID', self.alternative)}{_attribute('UserName', self.name)}"
            f' UserIsRequestor="{str(self.requests).lower()}"{point if self.point else ""}>{role}{media}'
            "</ActiveParticipant>"
        )


@dataclass(frozen=True)
class Message:
    """An audit message, as yet without a number."""

    event: str
    """EventID."""
    time: str
    program: str
    pid: str
    xml: str


def messages_of(event: Told, source: Source) -> Iterator[tuple[Row, Message]]:
    """Yield the audit messages that an event becomes, none where it is no security audit."""
    for row in rows_for(event):
        xml = _Maker(row, event, source).xml()
        if len(xml) > LONGEST_MESSAGE - LONGEST_HEADER:
            xml = _Maker(row, _shortened(event), source).xml()
        yield row, Message(row.event.value, event.time, event.program, event.pid, xml)


def _shortened(event: Told) -> Told:
    return replace(event, facts={key: event.text(key)[:SHORTER] for key in event.facts})


def header(message: Message, fqdn: str, run: str, sequence: int) -> bytes:
    """Return a message as it is sent: RFC 5424, with the spool's run and the message's number in it."""
    return (
        f"<{PRIORITY}>1 {message.time} {fqdn} {_name(message.program, 48)} {_name(message.pid, 128)} {MSGID}"
        f' [{ENTERPRISE} seq="{sequence}" run="{run}"] {message.xml}'
    ).encode("ascii")


@dataclass(frozen=True)
class _Maker:
    """Makes one message."""

    row: Row
    event: Told
    source: Source

    def xml(self) -> str:
        """Return the message."""
        event = self.event
        transaction = event.text("transaction")
        kinds = [kind for kind in (self.row.type, _transaction(transaction) if transaction else None) if kind]
        described = event.outcome if not event.text("reason") else f"{event.outcome}: {event.text('reason')}"
        said = (
            ""
            if described == Outcome.SUCCESS
            else f"<EventOutcomeDescription>{escaped(described)}</EventOutcomeDescription>"
        )
        return (
            f'<?xml version="1.0"?><AuditMessage><EventIdentification EventActionCode="{self.row.does}"'
            f' EventDateTime="{event.time}" EventOutcomeIndicator="{_outcome(event)}">'
            f"{_coded('EventID', self.row.event)}{''.join(_coded('EventTypeCode', kind) for kind in kinds)}{said}"
            f"</EventIdentification>{''.join(participant.xml() for participant in self.participants())}"
            f'<AuditSourceIdentification AuditEnterpriseSiteID="{escaped(self.source.site)}"'
            f' AuditSourceID="{escaped(self.source.fqdn)}"><AuditSourceTypeCode csd-code="{self.source.kind}"/>'
            f"</AuditSourceIdentification>{''.join(self.objects())}</AuditMessage>"
        )

    def participants(self) -> list[Participant]:
        """Return who took part, as the row arranges them."""
        return _ARRANGED[self.row.who](self, self.people())

    def users(self, people: list[Participant]) -> list[Participant]:
        """Who did it or asked for it, if that is known, and the process."""
        asking = [self.peer(codes.SOURCE, requests=True)] if self.has_peer() else []
        return [*(people or asking), self.process()]

    def told_of(self, people: list[Participant]) -> list[Participant]:
        """The process that raises an alert, and whom it is about."""
        about = [replace(person, requests=False) for person in people]
        return [self.process(), *about, *([self.peer(codes.SOURCE)] if self.has_peer() else [])]

    def people(self) -> list[Participant]:
        """The person, or else the account of the host or the directory, that did it."""
        event, here = self.event, self.source
        user, account = event.text("user"), event.text("account")
        of_host = f"{user}@{here.fqdn}" if user else ""
        if person := event.text("person"):
            principal = f"{person}@{here.domain.upper()}"
            return [
                Participant(
                    f"{person}@{here.domain}", requests=True, alternative=of_host or principal, point=self._from()
                )
            ]
        if user:
            return [Participant(of_host, requests=True, name=user, point=self._from())]
        if account:
            named = f"{account}@{here.domain}"
            return [Participant(named, requests=True, alternative=event.text("sid"), name=account, point=self._from())]
        return []

    def signing(self, people: list[Participant]) -> Participant:
        """Who signs in; a name that cannot be one is not told (docs/events.md)."""
        return people[0] if people else Participant(NOT_TOLD, requests=True, point=self._from())

    def _from(self) -> str:
        """Where a person is: at the peer, where that came in; at this host otherwise."""
        peer, names = self.event.text("peer"), self.source.names
        if _is_address(peer):
            return names.get(peer, peer)
        return (names.get(peer, "") if self.event.program in ASKED_BY_NAME else "") or self.source.fqdn

    def process(self, role: Code = codes.APPLICATION, *, requests: bool = False) -> Participant:
        """The process that told it; of a line of systemd, the unit that it is about."""
        program = self.event.text("unit") if self.row.who is Who.APPLICATION else ""
        program = program or self.event.program
        identity = program if program != self.event.program else f"{program}[{self.event.pid}]"
        title = self.source.ae_title if program in SPEAK_DICOM else ""
        return Participant(identity, requests, role, _titles(title), program, point=self.source.fqdn)

    def has_peer(self) -> bool:
        return any(self.event.text(key) for key in ("peer", "certificate", "ae_title"))

    def peer(self, role: Code, *, requests: bool = False) -> Participant:
        """The other side: by its certificate's name, by its DNS name, or as it was called."""
        event, names = self.event, self.source.names
        peer, title = event.text("peer"), self._peer_title()
        fqdn = names.get(peer) or names.get(title, "")
        certificate = event.text("certificate") if self.row.who is not Who.SIGNS else ""
        identity = certificate or fqdn or peer or title or NOT_TOLD
        point = peer if _is_address(peer) else fqdn
        return Participant(identity, requests, role, _titles(title), peer if fqdn else "", point=point)

    def _peer_title(self) -> str:
        """The calling AE title is the peer's where the peer calls; where this host calls, it is its own."""
        title = self.event.text("ae_title")
        return "" if title == self.source.ae_title else title

    def objects(self) -> Iterator[str]:
        """Yield what it is about; what else the event tells stands as details of the first."""
        action = ACTIONS.get(self.event.action)
        wanted = (*action.facts, "signed_in") if action else OF_OTHER_PROGRAMS
        details = [
            (key, self.event.text(key))
            for key in self.event.facts
            if key in wanted and key not in IDENTIFYING and key not in OF_THE_PROGRAM
        ]
        for about in self.row.about:
            made = self._object(about, details)
            if made:
                details = []
                yield made

    def _object(self, about: About, details: list[tuple[str, str]]) -> str:
        event = self.event
        if about is About.STUDY or (about is About.STUDY_IF_KNOWN and (event.text("study") or event.text("accession"))):
            return _entry(
                event.text("study") or NOT_TOLD, "2", "3", codes.STUDY_UID, details, inner=_description(event)
            )
        if about is About.PATIENT or (about is About.PATIENT_IF_KNOWN and event.text("patient")):
            return _entry(event.text("patient") or NOT_TOLD, "1", "1", codes.PATIENT_NUMBER, details)
        if about is About.PRIOR:
            return _entry(event.text("prior"), "1", "1", codes.PATIENT_NUMBER, details)
        if about is About.QUERY:
            return self._query(details)
        return self._of_security(about, details)

    def _of_security(self, about: About, details: list[tuple[str, str]]) -> str:
        event = self.event
        if about is About.LOG:
            log = f"https://{self.source.fqdn}/"
            return _entry(log, "2", "13", codes.URI, details, name="Security Audit Log")
        if about is About.SUBJECT:
            said = f"{event.action} {event.outcome}" + (f": {event.text('reason')}" if event.text("reason") else "")
            identifier, code = self._subject()
            return _entry(identifier, "2", "13", code, [("Alert Description", said), *details])
        return ""

    def _query(self, details: list[tuple[str, str]]) -> str:
        event = self.event
        keys = {key: event.text(key) for key in KEYS if event.text(key)}
        if sop_class := QUERIED.get(event.text("transaction")):
            syntax = ("TransferSyntax", EXPLICIT_LITTLE_ENDIAN)
            return _entry(sop_class, "2", "3", codes.SOP_CLASS_UID, [syntax, *details], query=_dataset(keys))
        criteria = "&".join(f"{key}={shown(value)}" for key, value in keys.items())
        path = event.text("path") or f"/{event.text('level').lower() or 'studies'}"
        return _entry(_without_uids(path), "2", "3", codes.SEARCH_CRITERIA, details, query=criteria.encode())

    def _subject(self) -> tuple[str, Code]:
        """What an alert is about: a unit, an account, a path, or the node that it came from."""
        event = self.event
        for key, form in (("unit", "systemd:{}"), ("group", "group:{}"), ("verb", "command:{}"), ("path", "{}")):
            if value := event.text(key):
                return form.format(_without_uids(value)), codes.URI
        peer = event.text("peer")
        if self.has_peer() and peer:
            return peer if _is_address(peer) else f"{peer}@{self.source.domain}", codes.NODE_ID
        return f"{self.source.name}@{self.source.domain}", codes.NODE_ID


def _launched(maker: _Maker) -> Participant:
    here = maker.source.fqdn
    return Participant("systemd[1]", requests=True, role=codes.APPLICATION_LAUNCHER, name="systemd", point=here)


FILE = Participant("file", role=codes.SOURCE_MEDIA, media=Code("110037", codes.DCM, "URI"))
"""What a command takes an object from (CID 405)."""

_ARRANGED: dict[Who, Callable[[_Maker, list[Participant]], list[Participant]]] = {
    Who.USERS: lambda maker, people: maker.users(people),
    Who.OUT: lambda maker, people: [
        maker.process(codes.SOURCE, requests=not people),
        maker.peer(codes.DESTINATION),
        *people,
    ],
    Who.IN: lambda maker, people: [
        maker.peer(codes.SOURCE, requests=not people),
        maker.process(codes.DESTINATION),
        *people,
    ],
    Who.FETCHES: lambda maker, people: [
        maker.peer(codes.SOURCE),
        maker.process(codes.DESTINATION, requests=not people),
        *people,
    ],
    Who.GIVES: lambda maker, people: [
        maker.process(codes.SOURCE),
        maker.peer(codes.DESTINATION, requests=not people),
        *people,
    ],
    Who.ALERT: lambda maker, people: maker.told_of(people),
    Who.SIGNS: lambda maker, people: [maker.signing(people), maker.process()],
    Who.APPLICATION: lambda maker, _: [maker.process(), _launched(maker)],
    Who.NODE: lambda maker, _: [maker.peer(codes.SOURCE)],
    Who.IMPORTS: lambda maker, _: [maker.process(codes.DESTINATION, requests=True), FILE],
}
"""How each row's participants are made."""


def _outcome(event: Told) -> str:
    reason = event.text("reason")
    if reason in MINOR or reason in MAJOR:
        return "4" if reason in MINOR else "12"
    return OUTCOMES.get(event.outcome, "8")  # type: ignore[call-overload,no-any-return]


def _transaction(name: str) -> Code:
    if name.startswith("RAD-"):
        return Code(name, TRANSACTIONS, name)
    return Code(name, HL7_EVENTS if "^" in name else SERVICES, name)


def _description(event: Told) -> str:
    """What is known of a study's objects; a SOPClass stands with anything else (A.5.2): of 0 where none is told."""
    mpps, accession = event.text("mpps"), event.text("accession")
    instance, kind, number = event.text("instance"), event.text("sop_class"), event.text("instances")
    if not (mpps or accession or instance or kind or number):
        return ""
    count = number if number.isascii() and number.isdigit() else "1" if instance else "0"
    named = f'<Instance UID="{escaped(instance)}"/>' if instance else ""
    return (
        "<ParticipantObjectDescription>"
        + (f'<MPPS UID="{escaped(mpps)}"/>' if mpps else "")
        + (f'<Accession Number="{escaped(accession)}"/>' if accession else "")
        + f'<SOPClass{_attribute("UID", kind)} NumberOfInstances="{count}">{named}</SOPClass>'
        + "</ParticipantObjectDescription>"
    )


def _entry(
    identifier: str,
    kind: str,
    role: str,
    code: Code,
    details: list[tuple[str, str]],
    *,
    query: bytes | None = None,
    inner: str = "",
    name: str = "",
) -> str:
    """An object (A.5.2). It has a name or a query; events tell no names of people, so that element may be empty."""
    told = (
        (f"<ParticipantObjectName>{escaped(name)}</ParticipantObjectName>" if name else "<ParticipantObjectName/>")
        if query is None
        else f"<ParticipantObjectQuery>{_base64(query)}</ParticipantObjectQuery>"
    )
    said = "".join(
        f'<ParticipantObjectDetail type="{escaped(key)}" value="{_base64(shown(value).encode("utf-8"))}"/>'
        for key, value in details
        if value
    )
    return (
        f'<ParticipantObjectIdentification ParticipantObjectID="{escaped(identifier)}"'
        f' ParticipantObjectTypeCode="{kind}" ParticipantObjectTypeCodeRole="{role}">'
        f"{_coded('ParticipantObjectIDTypeCode', code)}{told}{said}{inner}</ParticipantObjectIdentification>"
    )


def _dataset(keys: Mapping[str, str]) -> bytes:
    """The matching keys of a query as a DICOM dataset (PS3.5 7.1.2), in the order of tags."""
    encoded = b""
    for name in sorted(keys, key=lambda key: KEYS[key][:2]):
        group, element, kind = KEYS[name]
        value = shown(keys[name]).encode("utf-8")
        value += (b"\0" if kind == b"UI" else b" ") * (len(value) % 2)
        encoded += struct.pack("<HH2sH", group, element, kind, len(value)) + value
    return encoded


def _without_uids(path: str) -> str:
    """A path without what identifies a study or an object in it; a study has a field of its own."""
    return _UID.sub("/*", path)


@lru_cache(256)
def _coded(element: str, code: Code) -> str:
    text = escaped(code.meaning)
    return f'<{element} csd-code="{escaped(code.value)}" codeSystemName="{code.system}" originalText="{text}"/>'


def _element(name: str, text: str) -> str:
    return f"<{name}>{escaped(text)}</{name}>"


def _attribute(name: str, value: str) -> str:
    return f' {name}="{escaped(value)}"' if value else ""


def _titles(title: str) -> str:
    return f"AETITLES={title}" if title else ""


def _kind(point: str) -> str:
    """NetworkAccessPointTypeCode: 2 for an IP address, 1 for a machine name."""
    return "2" if _is_address(point) else "1"


@lru_cache(512)
def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _name(text: str, longest: int) -> str:
    """A field of the header: printable ASCII without spaces (RFC 5424 6)."""
    return "".join(character for character in text if "!" <= character <= "~")[:longest] or "-"


def shown(text: str) -> str:
    """Return a text that came from elsewhere, cut, with control and format characters as escapes."""
    clean = printable(text[: LONGEST + 1])
    return clean if len(clean) <= LONGEST else clean[: LONGEST - 1] + "…"


_UID = re.compile(r"/[0-9.]{9,}(?=/|$)")
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})


@lru_cache(2048)
def escaped(text: str) -> str:
    """Return text as it stands in an attribute or an element, in ASCII.

    >>> escaped('Ünal "x" ]]>')
    '&#220;nal &quot;x&quot; ]]&gt;'
    """
    return shown(text).translate(_ESCAPES).encode("ascii", "xmlcharrefreplace").decode("ascii")
