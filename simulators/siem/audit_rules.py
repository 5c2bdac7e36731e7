"""What an audit message has to have beyond its schema: the tables of PS3.15 A.5.3 as data, and a function that checks.

The schema says how a message is built; which participants and objects an event has is told in A.5.3.1 to A.5.3.15 in
tables of words. They stand here line by line. What lxml or ``xml.etree`` parsed and the schema let in is checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.audit import codes
from simulators.audit.codes import DCM, Code

if TYPE_CHECKING:
    from collections.abc import Iterator

    Element = Any
    """Of lxml or of ``xml.etree``: both have ``get``, ``find``, ``findall`` and iteration."""

MANY = 1 << 30


@dataclass(frozen=True)
class Participants:
    """How many active participants an event has, of one role or, without a role, of any that is not named beside it."""

    least: int
    most: int = MANY
    role: Code | None = None
    requests: bool | None = None
    """What UserIsRequestor has to be; ``None`` where either may be."""
    located: bool = False
    """One at least says where it is: NetworkAccessPointTypeCode and NetworkAccessPointID."""
    on_media: bool = False
    """It has a MediaIdentifier."""


@dataclass(frozen=True)
class Objects:
    """How many participant objects of a kind an event has; ``kind``: type, role and what the identifier is."""

    least: int
    most: int
    type_code: str
    role: str | None
    identifiers: tuple[tuple[str, str], ...]
    """Value and system; none: whatever identifies it."""
    query: bool = False
    details: tuple[str, ...] = ()
    """Types of ParticipantObjectDetail that it has."""


@dataclass(frozen=True)
class Rule:
    """What one event requires (PS3.15 A.5.3.x)."""

    clause: str
    event: Code
    actions: frozenset[str]
    types: frozenset[str] | None
    """Of these EventTypeCode is one; ``None`` where it may be left out."""
    participants: tuple[Participants, ...]
    objects: tuple[Objects, ...] = ()
    one_requestor: bool = False
    named: frozenset[str] = field(init=False)
    """The roles that its participants are told apart by."""

    def __post_init__(self) -> None:
        """Collect the roles."""
        roles = frozenset(group.role.value for group in self.participants if group.role is not None)
        object.__setattr__(self, "named", roles)


def _of(code: Code) -> tuple[str, str]:
    return code.value, code.system


CHANGES, E = frozenset("CRUD"), frozenset("E")


def _study(least: int) -> Objects:
    return Objects(least, MANY, "2", "3", (_of(codes.STUDY_UID),))


def _patient(most: int = 1) -> Objects:
    return Objects(1, most, "1", "1", (_of(codes.PATIENT_NUMBER),))


def _types(*types: Code) -> frozenset[str]:
    return frozenset(code.value for code in types)


ANYBODY = Participants(0)
SENDER, RECEIVER = Participants(1, 1, codes.SOURCE), Participants(1, 1, codes.DESTINATION)
USERS = Participants(1, 2)

RULES: dict[str, Rule] = {
    rule.event.value: rule
    for rule in (
        Rule(
            "A.5.3.1", codes.APPLICATION_ACTIVITY, E, _types(codes.APPLICATION_START, codes.APPLICATION_STOP),
            (Participants(1, 1, codes.APPLICATION), Participants(0, MANY, codes.APPLICATION_LAUNCHER)),
        ),
        Rule(
            "A.5.3.2", codes.AUDIT_LOG_USED, frozenset("R"), None, (USERS,),
            (Objects(1, 1, "2", "13", (_of(codes.URI),)),),
        ),
        Rule("A.5.3.3", codes.BEGIN_TRANSFERRING, E, None, (SENDER, RECEIVER, ANYBODY), (_study(1), _patient())),
        Rule(
            "A.5.3.4", codes.EXPORT, frozenset("R"), None,
            (
                Participants(0, MANY, codes.DESTINATION), Participants(1, 2, codes.SOURCE),
                Participants(1, 1, codes.DESTINATION_MEDIA, requests=False),
            ),
            (_study(0), _patient(MANY)), one_requestor=True,
        ),
        Rule(
            "A.5.3.5", codes.IMPORT, frozenset("C"), None,
            (
                Participants(1, MANY, codes.DESTINATION), Participants(0, MANY, codes.SOURCE),
                Participants(1, 1, codes.SOURCE_MEDIA, requests=False, on_media=True),
            ),
            (_study(0), _patient(MANY)), one_requestor=True,
        ),
        Rule("A.5.3.6", codes.INSTANCES_ACCESSED, CHANGES, None, (USERS,), (_study(1), _patient())),
        Rule(
            "A.5.3.7", codes.INSTANCES_TRANSFERRED, frozenset("CRU"), None, (SENDER, RECEIVER, ANYBODY),
            (_study(1), _patient()),
        ),
        Rule("A.5.3.8", codes.STUDY_DELETED, frozenset("D"), None, (USERS,), (_study(1), _patient())),
        Rule(
            "A.5.3.9", codes.NETWORK_ENTRY, E, _types(codes.ATTACH, codes.DETACH),
            (Participants(1, 1, requests=False),),
        ),
        Rule(
            "A.5.3.10", codes.QUERY, E, None, (SENDER, RECEIVER, ANYBODY),
            (Objects(1, 1, "2", "3", (), query=True),),
        ),
        Rule(
            "A.5.3.11", codes.SECURITY_ALERT, E, frozenset(codes.TYPES), (Participants(1),),
            (Objects(0, MANY, "2", None, (), details=("Alert Description",)),),
        ),
        Rule(
            "A.5.3.12", codes.USER_AUTHENTICATION, E, _types(codes.LOGIN, codes.LOGOUT),
            (Participants(1, 2, located=True),),
        ),
        Rule("A.5.3.13", codes.ORDER_RECORD, CHANGES, None, (USERS,), (_patient(),)),
        Rule("A.5.3.14", codes.PATIENT_RECORD, CHANGES, None, (USERS,), (_patient(),)),
        Rule("A.5.3.15", codes.PROCEDURE_RECORD, CHANGES, None, (USERS,), (_study(0), _patient())),
    )
}  # fmt: skip
"""What each EventID requires. What it has beyond that is no fault: nothing in A.5 forbids further objects, such as the
patient that a query is about, and "who saw this patient" is asked of all messages alike."""

_SOURCE_TYPES = frozenset("123456789")
_TRUE = frozenset({"true", "1"})
_OFFSET = re.compile(r"[+-]\d\d:\d\d$")
_OF_A_STUDY = ("Accession", "MPPS", "Encrypted", "Anonymized")
_STUDY, _SOP_CLASS = _of(codes.STUDY_UID), _of(codes.SOP_CLASS_UID)


def faults(message: Element) -> list[str]:
    """Return what is wrong with an audit message that its schema let in, a sentence each; none: it may be kept.

    >>> from xml.etree import ElementTree
    >>> faults(ElementTree.fromstring('<AuditMessage><EventIdentification><EventID csd-code="1"/>...'))
    ['EventID is none of CID 400']
    """
    participants: list[_Participant] = []
    entries: list[_Entry] = []
    found: list[str] = []
    for part in message:
        tag = part.tag
        if tag == "ActiveParticipant":
            participants.append(_Participant(part))
        elif tag == "ParticipantObjectIdentification":
            entries.append(_Entry(part))
        elif tag == "AuditSourceIdentification":
            found += [fault for kind in part if kind.tag == "AuditSourceTypeCode" for fault in _source_type(kind)]
    found += _of_all(participants, entries)
    event = message.find("EventIdentification")
    rule = _rule_of(event.find("EventID"))
    if rule is None:
        return [*found, "EventID is none of CID 400"]
    return [*found, *_of_event(rule, event), *_of_participants(rule, participants), *_of_objects(rule, entries)]


def _rule_of(identifier: Element) -> Rule | None:
    return RULES.get(identifier.get("csd-code")) if identifier.get("codeSystemName") == DCM else None


def _of_event(rule: Rule, event: Element) -> Iterator[str]:
    time, action = event.get("EventDateTime").strip(), event.get("EventActionCode")
    if not time.endswith("Z") and not _OFFSET.search(time):
        yield "A.5.2.5: EventDateTime has no time zone"
    if action not in rule.actions:
        yield f"{rule.clause}: EventActionCode is {action}, not {' or '.join(sorted(rule.actions))}"
    if rule.types is not None:
        given = [_dcm(code) for code in event if code.tag == "EventTypeCode"]
        if rule.types.isdisjoint(given):
            yield f"{rule.clause}: EventTypeCode is {' and '.join(given) or 'missing'}"


class _Participant:
    """What is looked at of an active participant."""

    __slots__ = ("located", "named", "on_media", "requests", "roles", "typed")

    def __init__(self, part: Element) -> None:
        self.named = bool(part.get("UserID").strip())
        self.requests = part.get("UserIsRequestor").strip() in _TRUE
        self.located = bool(part.get("NetworkAccessPointID"))
        self.typed = part.get("NetworkAccessPointTypeCode") is not None
        self.roles, self.on_media = [], False
        for inner in part:
            if inner.tag == "RoleIDCode":
                self.roles.append(_dcm(inner))
            elif inner.tag == "MediaIdentifier":
                self.on_media = True


class _Entry:
    """What is looked at of a participant object."""

    __slots__ = ("code", "description", "details", "has_query", "named", "role", "type_code")

    def __init__(self, part: Element) -> None:
        self.named = bool(part.get("ParticipantObjectID").strip())
        self.type_code = part.get("ParticipantObjectTypeCode")
        self.role = part.get("ParticipantObjectTypeCodeRole")
        self.code = ("", "")
        self.details: list[str] = []
        self.has_query, self.description = False, None
        for inner in part:
            tag = inner.tag
            if tag == "ParticipantObjectDetail":
                self.details.append(inner.get("type"))
            elif tag == "ParticipantObjectIDTypeCode":
                self.code = (inner.get("csd-code"), inner.get("codeSystemName"))
            elif tag == "ParticipantObjectQuery":
                self.has_query = True
            elif tag == "ParticipantObjectDescription":
                self.description = inner if self.description is None else self.description

    def is_of(self, kind: Objects) -> bool:
        """Whether it is an object of this kind."""
        return (
            self.type_code == kind.type_code
            and (kind.role is None or self.role == kind.role)
            and (not kind.identifiers or self.code in kind.identifiers)
        )


def _of_all(participants: list[_Participant], entries: list[_Entry]) -> Iterator[str]:
    if sum(participant.requests for participant in participants) > 1:
        yield "A.5.2: more than one participant is the requestor"
    for participant in participants:
        if participant.located != participant.typed:
            yield "A.5.2: NetworkAccessPointID and NetworkAccessPointTypeCode stand together"
        if not participant.named:
            yield "A.5.2: a UserID is empty"
    for entry in entries:
        if not entry.named:
            yield "A.5.2: a ParticipantObjectID is empty"
        if entry.description is not None and entry.code == _STUDY:
            parts = [part.tag for part in entry.description]
            if "SOPClass" not in parts and any(part in parts for part in _OF_A_STUDY):
                yield f"A.5.2: a study with one of {', '.join(_OF_A_STUDY)} has a SOPClass too"


def _source_type(kind: Element) -> Iterator[str]:
    system, text = kind.get("codeSystemName"), kind.get("originalText")
    if (system is None) != (text is None) or (system is None and kind.get("displayName") is not None):
        yield "A.5.1: AuditSourceTypeCode has neither or both of codeSystemName and originalText"
    elif system is None and kind.get("csd-code").strip() not in _SOURCE_TYPES:
        yield "A.5.1.2.1: AuditSourceTypeCode is no digit, and has no codeSystemName"


def _of_participants(rule: Rule, participants: list[_Participant]) -> Iterator[str]:
    named = rule.named
    for group in rule.participants:
        if group.role is None:
            members = [member for member in participants if named.isdisjoint(member.roles)]
        else:
            members = [member for member in participants if group.role.value in member.roles]
        if not group.least <= len(members) <= group.most:
            yield f"{_group(rule, group)}: {len(members)}, not {_count(group.least, group.most)}"
        if group.requests is not None and any(member.requests != group.requests for member in members):
            yield f"{_group(rule, group)}: UserIsRequestor is not {str(group.requests).lower()}"
        if group.located and not any(member.located for member in members):
            yield f"{_group(rule, group)}: none says its NetworkAccessPointID"
        if group.on_media and not all(member.on_media for member in members):
            yield f"{_group(rule, group)}: no MediaIdentifier"
    if rule.one_requestor and not any(participant.requests for participant in participants):
        yield f"{rule.clause}: no participant is the requestor"


def _of_objects(rule: Rule, entries: list[_Entry]) -> Iterator[str]:
    left = entries
    for kind in rule.objects:
        members = [entry for entry in left if entry.is_of(kind)]
        left = [entry for entry in left if entry not in members]
        if not kind.least <= len(members) <= kind.most:
            names = " or ".join(codes.OBJECTS[pair].meaning for pair in kind.identifiers) or "any identifier"
            yield f"{rule.clause}: objects by {names}: {len(members)}, not {_count(kind.least, kind.most)}"
        for entry in members:
            if kind.query and not entry.has_query:
                yield f"{rule.clause}: no ParticipantObjectQuery"
            if kind.query and entry.code == _SOP_CLASS and "TransferSyntax" not in entry.details:
                yield f"{rule.clause}: a query of a SOP class without its TransferSyntax"
            if missing := [name for name in kind.details if name not in entry.details]:
                yield f"{rule.clause}: no ParticipantObjectDetail {', '.join(missing)}"


def _group(rule: Rule, group: Participants) -> str:
    return f"{rule.clause}: participants{f' with role {group.role.meaning}' if group.role else ''}"


def _dcm(code: Element) -> str:
    """A code of DICOM; of another system it is none."""
    return code.get("csd-code") if code.get("codeSystemName") == DCM else ""


def _count(least: int, most: int) -> str:
    if most == MANY:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"
