"""What an audit message has to have beyond its schema: the tables of PS3.15 A.5.3 as data, and a function that checks.

The schema says how a message is built; which participants and objects an event has is told in A.5.3.1 to A.5.3.15 in
tables of words. They stand here line by line. What lxml or ``xml.etree`` parsed and the schema let in is checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
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
_ZONE = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")
_OF_A_STUDY = ("Accession", "MPPS", "Encrypted", "Anonymized")


def faults(message: Element) -> list[str]:
    """Return what is wrong with an audit message that its schema let in, a sentence each; none: it may be kept.

    >>> from xml.etree import ElementTree
    >>> faults(ElementTree.fromstring('<AuditMessage><EventIdentification><EventID csd-code="1"/>...'))
    ['EventID is (1, DCM), which CID 400 does not have']
    """
    event = message.find("EventIdentification")
    found = [*_of_every_event(message, event)]
    identifier = event.find("EventID")
    value, system = identifier.get("csd-code"), identifier.get("codeSystemName")
    rule = RULES.get(value) if system == DCM else None
    if rule is None:
        return [*found, f"EventID is ({value}, {system}), which CID 400 does not have"]
    action = event.get("EventActionCode")
    if action not in rule.actions:
        found.append(f"{rule.clause}: EventActionCode is {action}, not {' or '.join(sorted(rule.actions))}")
    if rule.types is not None:
        given = [code.get("csd-code") for code in event.findall("EventTypeCode") if code.get("codeSystemName") == DCM]
        if not any(code in rule.types for code in given):
            found.append(f"{rule.clause}: EventTypeCode is {' and '.join(given) or 'missing'}")
    participants = message.findall("ActiveParticipant")
    found += _participants(rule, participants)
    found += _objects(rule, message.findall("ParticipantObjectIdentification"))
    return found


def _of_every_event(message: Element, event: Element) -> Iterator[str]:
    if not _ZONE.search(event.get("EventDateTime", "").strip()):
        yield "A.5.2.5: EventDateTime has no time zone"
    participants = message.findall("ActiveParticipant")
    if sum(_requests(participant) for participant in participants) > 1:
        yield "A.5.2: more than one participant is the requestor"
    for participant in participants:
        if (participant.get("NetworkAccessPointID") is None) != (participant.get("NetworkAccessPointTypeCode") is None):
            yield "A.5.2: NetworkAccessPointID and NetworkAccessPointTypeCode stand together"
        if not participant.get("UserID", "").strip():
            yield "A.5.2: a UserID is empty"
    for kind in message.find("AuditSourceIdentification").findall("AuditSourceTypeCode"):
        yield from _source_type(kind)
    for entry in message.findall("ParticipantObjectIdentification"):
        if not entry.get("ParticipantObjectID", "").strip():
            yield "A.5.2: a ParticipantObjectID is empty"
        if _identified_by(entry) == _of(codes.STUDY_UID):
            yield from _study_description(entry.find("ParticipantObjectDescription"))


def _source_type(kind: Element) -> Iterator[str]:
    system, text = kind.get("codeSystemName"), kind.get("originalText")
    if (system is None) != (text is None) or (system is None and kind.get("displayName") is not None):
        yield "A.5.1: AuditSourceTypeCode has neither or both of codeSystemName and originalText"
    elif system is None and kind.get("csd-code", "").strip() not in _SOURCE_TYPES:
        yield "A.5.1.2.1: AuditSourceTypeCode is no digit, and has no codeSystemName"


def _study_description(description: Element | None) -> Iterator[str]:
    if description is None or description.find("SOPClass") is not None:
        return
    if any(description.find(part) is not None for part in _OF_A_STUDY):
        yield f"A.5.2: a study with one of {', '.join(_OF_A_STUDY)} has a SOPClass too"


def _participants(rule: Rule, participants: list[Element]) -> Iterator[str]:
    named = {group.role.value for group in rule.participants if group.role is not None}
    roles = [{_role(code) for code in participant.findall("RoleIDCode")} for participant in participants]
    for group in rule.participants:
        members = [
            participant
            for participant, has in zip(participants, roles, strict=True)
            if (group.role.value in has if group.role else not has & named)
        ]
        what = f"{rule.clause}: participants{f' with role {group.role.meaning}' if group.role else ''}"
        if not group.least <= len(members) <= group.most:
            yield f"{what}: {len(members)}, not {_count(group.least, group.most)}"
        if group.requests is not None and any(_requests(member) != group.requests for member in members):
            yield f"{what}: UserIsRequestor is not {str(group.requests).lower()}"
        if group.located and not any(member.get("NetworkAccessPointID") for member in members):
            yield f"{what}: none says its NetworkAccessPointID"
        if group.on_media and any(member.find("MediaIdentifier") is None for member in members):
            yield f"{what}: no MediaIdentifier"
    if rule.one_requestor and not any(_requests(participant) for participant in participants):
        yield f"{rule.clause}: no participant is the requestor"


def _objects(rule: Rule, entries: list[Element]) -> Iterator[str]:
    kinds = [(_kind_of(rule, entry), entry) for entry in entries]
    for kind in rule.objects:
        number = sum(found is kind for found, _ in kinds)
        if not kind.least <= number <= kind.most:
            names = " or ".join(codes.OBJECTS[pair].meaning for pair in kind.identifiers) or "any identifier"
            yield f"{rule.clause}: objects by {names}: {number}, not {_count(kind.least, kind.most)}"
    for found, entry in kinds:
        if found is None:
            continue
        details = {detail.get("type") for detail in entry.findall("ParticipantObjectDetail")}
        if found.query and entry.find("ParticipantObjectQuery") is None:
            yield f"{rule.clause}: no ParticipantObjectQuery"
        if found.query and _identified_by(entry) == _of(codes.SOP_CLASS_UID) and "TransferSyntax" not in details:
            yield f"{rule.clause}: a query of a SOP class without its TransferSyntax"
        if missing := [name for name in found.details if name not in details]:
            yield f"{rule.clause}: no ParticipantObjectDetail {', '.join(missing)}"


def _kind_of(rule: Rule, entry: Element) -> Objects | None:
    """Which of a rule's kinds an object is: the first that it can be."""
    for kind in rule.objects:
        if entry.get("ParticipantObjectTypeCode") != kind.type_code:
            continue
        if kind.role is not None and entry.get("ParticipantObjectTypeCodeRole") != kind.role:
            continue
        if kind.identifiers and _identified_by(entry) not in kind.identifiers:
            continue
        return kind
    return None


def _identified_by(entry: Element) -> tuple[str, str]:
    code = entry.find("ParticipantObjectIDTypeCode")
    return code.get("csd-code"), code.get("codeSystemName")


def _requests(participant: Element) -> bool:
    return participant.get("UserIsRequestor", "").strip() in {"true", "1"}


def _role(code: Element) -> str:
    return str(code.get("csd-code")) if code.get("codeSystemName") == DCM else ""


def _count(least: int, most: int) -> str:
    if most == MANY:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"
