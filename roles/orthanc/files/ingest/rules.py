"""What an archive does not take: each rule is a function of what arrives, with reason and status of its refusal.

Reasons are words of ``simulators/events/reasons.py``; statuses are failures of C-STORE (PS3.4 B.2.3): 0xA7xx asks to
try again later, 0xCxxx says that the object itself is not taken.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reading import Element


@dataclass(frozen=True)
class Attribute:
    """What an attribute has to be: PS3.6's keyword and VR, PS3.5's longest value, and whether it may be empty."""

    tag: int
    keyword: str
    vr: str
    longest: int
    needed: bool = False


ATTRIBUTES = (
    Attribute(0x00080005, "SpecificCharacterSet", "CS", 160),
    Attribute(0x00080016, "SOPClassUID", "UI", 64, needed=True),
    Attribute(0x00080018, "SOPInstanceUID", "UI", 64, needed=True),
    Attribute(0x00080020, "StudyDate", "DA", 8),
    Attribute(0x00080030, "StudyTime", "TM", 16),
    Attribute(0x00080050, "AccessionNumber", "SH", 16),
    Attribute(0x00080060, "Modality", "CS", 16),
    Attribute(0x00080080, "InstitutionName", "LO", 64),
    Attribute(0x00080090, "ReferringPhysicianName", "PN", 194),
    Attribute(0x00081010, "StationName", "SH", 16),
    Attribute(0x00081030, "StudyDescription", "LO", 64),
    Attribute(0x0008103E, "SeriesDescription", "LO", 64),
    Attribute(0x00100010, "PatientName", "PN", 194),
    Attribute(0x00100020, "PatientID", "LO", 64, needed=True),
    Attribute(0x00100021, "IssuerOfPatientID", "LO", 64),
    Attribute(0x00100030, "PatientBirthDate", "DA", 8),
    Attribute(0x00100040, "PatientSex", "CS", 16),
    Attribute(0x0020000D, "StudyInstanceUID", "UI", 64, needed=True),
    Attribute(0x0020000E, "SeriesInstanceUID", "UI", 64, needed=True),
    Attribute(0x00200010, "StudyID", "SH", 16),
    Attribute(0x04000561, "OriginalAttributesSequence", "SQ", 0),
)
"""What the archive files objects by, what a change of the patient's identity writes, and what lists show."""

UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
"""PS3.5 9.1."""
OCTETS_OF_A_CHARACTER = 6
"""UTF-8 has 4, ISO 2022 an escape sequence besides."""
ESCAPE = 0x1B
"""ISO 2022 changes character sets with it (PS3.5 6.1.2.5.3); it does not stay in the text."""
BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What makes a text read otherwise than it is written (UAX #9)."""
INVISIBLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Control characters, halves of surrogates, and separators of lines and paragraphs (Unicode's categories)."""


@dataclass(frozen=True)
class Limits:
    """The most that one object may be."""

    octets: int
    decoded_octets: int


@dataclass(frozen=True)
class Arrival:
    """One object that arrives.

    Attributes:
        octets: its length as a file.
        elements: its elements outside of sequences, by tag.
        values: its text values as the archive decoded them, by keyword.
    """

    octets: int
    elements: Mapping[int, Element] = field(repr=False)
    values: Mapping[str, str] = field(repr=False)

    def value(self, keyword: str) -> str:
        """Return a text value without padding; empty where there is none."""
        return self.values.get(keyword, "").strip(" ")

    def number(self, tag: int, default: int) -> int:
        """Return a number of an element: US in binary, IS as text."""
        element = self.elements.get(tag)
        if element is None or not element.value:
            return default
        if element.vr == "IS" or (not element.vr and len(element.value) != 2):  # noqa: PLR2004 # a US has two octets
            text = element.value.strip(b" \0")
            return int(text) if text.isdigit() else default
        return int.from_bytes(element.value[:4], "little")


@dataclass(frozen=True)
class Refusal:
    """Why an object is not taken, and which attribute says so."""

    reason: str
    status: int
    attribute: str = ""


AGAIN = 0xA700
NOT_AUTHORISED, NOT_OF_ITS_CLASS = 0x0124, 0xA900
"""PS3.7 C.5.20, and PS3.4 B.2.3: the data set does not match its SOP class."""
UNREADABLE, IDENTIFIER, TYPE, TEXT, SIZE, DECODED = 0xC100, 0xC101, 0xC102, 0xC103, 0xC104, 0xC105
INSTANCE, SERIES, STUDY = 0xC111, 0xC112, 0xC113


def typed(arrival: Arrival, _: Limits) -> Refusal | None:
    """Every attribute has the VR of PS3.6; otherwise programs that read it fail where nobody looks."""
    for attribute in ATTRIBUTES:
        element = arrival.elements.get(attribute.tag)
        if element is not None and element.vr not in {"", attribute.vr}:
            return Refusal("attribute-type", TYPE, attribute.keyword)
    return None


def identified(arrival: Arrival, _: Limits) -> Refusal | None:
    """Patient, study, series, object and SOP class are named, the UIDs by UIDs (PS3.5 9.1)."""
    for attribute in ATTRIBUTES:
        value = arrival.value(attribute.keyword)
        if attribute.needed and (not value or (attribute.vr == "UI" and not _is_uid(value))):
            return Refusal("invalid-identifier", IDENTIFIER, attribute.keyword)
        if attribute.needed and attribute.vr != "UI" and "\\" in value:
            return Refusal("invalid-identifier", IDENTIFIER, attribute.keyword)
    return None


def legible(arrival: Arrival, _: Limits) -> Refusal | None:
    """Texts are no longer than their VR allows, and hold nothing that is not seen or turns the order of others."""
    for attribute in ATTRIBUTES:
        element = arrival.elements.get(attribute.tag)
        if element is None or attribute.vr == "SQ":
            continue
        octets = element.value.rstrip(b" \0")
        text = arrival.value(attribute.keyword)
        if (
            len(octets) > attribute.longest * OCTETS_OF_A_CHARACTER
            or len(text) > attribute.longest
            or any(octet < 0x20 and octet != ESCAPE for octet in octets)  # noqa: PLR2004 # control characters
            or any(unicodedata.category(one) in INVISIBLE or one in BIDIRECTIONAL for one in text)
        ):
            return Refusal("attribute-text", TEXT, attribute.keyword)
    return None


def small(arrival: Arrival, limits: Limits) -> Refusal | None:
    """The object is no longer than an object may be."""
    return Refusal("object-too-large", SIZE) if arrival.octets > limits.octets else None


def small_when_decoded(arrival: Arrival, limits: Limits) -> Refusal | None:
    """Its pixels, decoded, are no more than a program that shows them can hold (PS3.3 C.7.6.3)."""
    rows, columns = arrival.number(0x00280010, 0), arrival.number(0x00280011, 0)
    bits, samples = arrival.number(0x00280100, 8), arrival.number(0x00280002, 1)
    frames = arrival.number(0x00280008, 1)
    decoded = rows * columns * samples * frames * -(-bits // 8)
    return Refusal("decoded-too-large", DECODED) if decoded > limits.decoded_octets else None


RULES: tuple[Callable[[Arrival, Limits], Refusal | None], ...] = (
    small, typed, identified, legible, small_when_decoded,
)  # fmt: skip
"""In the order in which they are asked; the first that refuses is told."""


def first_refusal(arrival: Arrival, limits: Limits) -> Refusal | None:
    """Return why an object is not taken for what it is; None when every rule takes it."""
    return next((refusal for rule in RULES if (refusal := rule(arrival, limits)) is not None), None)


def _is_uid(value: str) -> bool:
    return len(value) <= 64 and UID.fullmatch(value) is not None  # noqa: PLR2004 # PS3.5 9.1
