"""What is read off an audit message (PS3.15 A.5.1): its event, who took part, and what its objects say."""

from __future__ import annotations

import binascii
import struct
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from simulators.audit.codes import DCM
from simulators.audit.message import KEYS, NOT_TOLD
from simulators.siem.fields import OF_KEY

Element = Any
"""Of lxml or of ``xml.etree``."""

TITLE = "AETITLES="
PATIENT, STUDY = ("2", "RFC-3881"), ("110180", DCM)
ALERT_DESCRIPTION = "Alert Description"
_WANTED = frozenset(OF_KEY) | {
    ALERT_DESCRIPTION, "target", "status", "service", "unit", "account", "sid", "milliseconds",
}  # fmt: skip
"""Details that are read."""
_TAGS = {(group, element): key for key, (group, element, _) in KEYS.items()}
_LONGEST_QUERY = 4096
_HEAD = 8
"""Octets of tag, VR and length (PS3.5 7.1.2)."""


class Participant(NamedTuple):
    """An active participant."""

    user: str
    alternative: str
    name: str
    requests: bool
    point: str
    role: str
    """Its code of CID 402, empty for people and accounts."""

    @property
    def title(self) -> str:
        """Its AE title."""
        return self.alternative.removeprefix(TITLE) if self.alternative.startswith(TITLE) else ""


@dataclass
class Read:
    """What was read off a message."""

    code: str = ""
    """EventID."""
    does: str = ""
    time: str = ""
    indicator: str = ""
    kinds: list[str] = field(default_factory=list)
    """EventTypeCodes of DICOM."""
    transaction: str = ""
    """The EventTypeCode of another code system."""
    described: str = ""
    """EventOutcomeDescription."""
    reporter: str = ""
    """AuditSourceID."""
    participants: list[Participant] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    """By keys of docs/events.md."""


def read(message: Element) -> Read:
    """Read a message that its schema let in."""
    found = Read()
    for part in message:
        tag = part.tag
        if tag == "ActiveParticipant":
            found.participants.append(_participant(part))
        elif tag == "ParticipantObjectIdentification":
            _object(part, found.facts)
        elif tag == "EventIdentification":
            _event(part, found)
        elif tag == "AuditSourceIdentification":
            found.reporter = part.get("AuditSourceID") or ""
    return found


def _event(event: Element, found: Read) -> None:
    get = event.get
    found.does, found.time = get("EventActionCode") or "", (get("EventDateTime") or "").strip()
    found.indicator = (get("EventOutcomeIndicator") or "").strip()
    for part in event:
        tag = part.tag
        if tag == "EventID":
            found.code = part.get("csd-code") or ""
        elif tag == "EventTypeCode":
            value = part.get("csd-code") or ""
            if part.get("codeSystemName") == DCM:
                found.kinds.append(value)
            else:
                found.transaction = found.transaction or value
        elif tag == "EventOutcomeDescription":
            found.described = part.text or ""


def _participant(part: Element) -> Participant:
    role = ""
    for inner in part:
        if inner.tag == "RoleIDCode" and inner.get("codeSystemName") == DCM:
            role = inner.get("csd-code") or ""
    get = part.get
    return Participant(
        (get("UserID") or "").strip(),
        get("AlternativeUserID") or "",
        get("UserName") or "",
        (get("UserIsRequestor") or "").strip() in {"true", "1"},
        get("NetworkAccessPointID") or "",
        role,
    )


def _object(part: Element, facts: dict[str, str]) -> None:
    identifier = (part.get("ParticipantObjectID") or "").strip()
    code: tuple[str | None, str | None] = ("", "")
    for inner in part:
        tag = inner.tag
        if tag == "ParticipantObjectDetail":
            if (key := inner.get("type")) in _WANTED:
                facts.setdefault(key, _decoded(inner.get("value")))
        elif tag == "ParticipantObjectIDTypeCode":
            code = (inner.get("csd-code"), inner.get("codeSystemName"))
        elif tag == "ParticipantObjectQuery":
            _queried(inner.text or "", facts)
        elif tag == "ParticipantObjectDescription":
            _describe(inner, facts)
    if identifier and identifier != NOT_TOLD:
        _identified(identifier, code, facts)


def _identified(identifier: str, code: tuple[str | None, str | None], facts: dict[str, str]) -> None:
    if code == PATIENT:
        facts.setdefault("patient", identifier)
    elif code == STUDY:
        facts.setdefault("study", identifier)
    elif identifier.startswith("systemd:"):
        facts.setdefault("unit", identifier.removeprefix("systemd:"))
    elif identifier.startswith("group:"):
        facts.setdefault("group", identifier.removeprefix("group:"))
    elif identifier.startswith("command:"):
        facts.setdefault("verb", identifier.removeprefix("command:"))


def _describe(part: Element, facts: dict[str, str]) -> None:
    """Accession number, MPPS, objects and how many, of a study's description."""
    for inner in part:
        tag = inner.tag
        if tag == "Accession":
            facts.setdefault("accession", inner.get("Number") or "")
        elif tag == "MPPS":
            facts.setdefault("mpps", inner.get("UID") or "")
        elif tag == "SOPClass":
            if uid := inner.get("UID"):
                facts.setdefault("sop_class", uid)
            count = (inner.get("NumberOfInstances") or "").strip()
            if count not in {"", "0"}:
                facts.setdefault("instances", count)
            for instance in inner:
                if instance.tag == "Instance":
                    facts.setdefault("instance", instance.get("UID") or "")


def _queried(text: str, facts: dict[str, str]) -> None:
    """The matching keys of a query: a dataset in explicit VR little endian (PS3.5 7.1.2), or words of a URI."""
    try:
        data = binascii.a2b_base64(text[:_LONGEST_QUERY])
    except binascii.Error:
        return
    if not data[4:6].isupper():
        words = (word.partition("=") for word in data.decode("utf-8", "replace").split("&"))
        facts.update({key: value for key, _, value in words if key in KEYS and value and key not in facts})
        return
    place = 0
    while place + _HEAD <= len(data):
        group, element, _, length = struct.unpack_from("<HH2sH", data, place)
        value = data[place + _HEAD : place + _HEAD + length].decode("utf-8", "replace").strip("\0 ")
        if (key := _TAGS.get((group, element))) and value:
            facts.setdefault(key, value)
        place += _HEAD + length


def _decoded(value: str | None) -> str:
    try:
        return binascii.a2b_base64(value or "").decode("utf-8", "replace")
    except binascii.Error:
        return ""
