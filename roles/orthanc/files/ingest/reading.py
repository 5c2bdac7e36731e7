"""The elements of a DICOM file (PS3.10), walked over without looking into them: where each is, and of which VR.

Pixel data comes last and is not read. Nothing is decompressed: a deflated data set cannot be walked.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

PREAMBLE = 128
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED = frozenset(
    {"1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.95", "1.2.840.10008.1.2.4.205", "1.2.840.10008.1.2.8.1"}
)
"""Deflated Explicit VR Little Endian, JPIP Referenced Deflate, JPIP HTJ2K Referenced Deflate, Deflated Image Frame."""
BIG_ENDIAN = "1.2.840.10008.1.2.2"
LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
"""VRs with a length of 32 bits (PS3.5 7.1.2)."""
UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
FIRST_PIXELS = 0x7FE00000
TRANSFER_SYNTAX = 0x00020010
DEEPEST = 32
"""Sequences within sequences that are followed."""


class UnreadableError(Exception):
    """The file is none of PS3.10, or its elements do not follow PS3.5."""


@dataclass(frozen=True)
class Element:
    """One element: its tag, its VR where the file says it (explicit VR), and its value."""

    tag: int
    vr: str
    value: bytes


@dataclass(frozen=True)
class Reading:
    """What was walked over.

    Attributes:
        syntax: Transfer Syntax UID (0002,0010).
        elements: those outside of sequences by tag; of sequences only that they are there.
        pixels: where pixel data begins; the file's length where there is none.
    """

    syntax: str
    elements: dict[int, Element]
    pixels: int


def read(file: bytes) -> Reading:
    """Walk over a file.

    Raises:
        UnreadableError: it cannot be walked to its end or to its pixel data.
    """
    if file[PREAMBLE : PREAMBLE + 4] != b"DICM":
        raise UnreadableError("no DICM prefix")
    elements: dict[int, Element] = {}
    position = PREAMBLE + 4
    try:
        while file[position : position + 2] == b"\x02\x00":
            element, position = _element(file, position, explicit=True, depth=0)
            elements[element.tag] = element
        syntax = _text(elements, TRANSFER_SYNTAX)
        if syntax in DEFLATED or syntax == BIG_ENDIAN:
            raise UnreadableError(f"transfer syntax {syntax}")
        last = 0
        while position < len(file):
            if _tag(file, position) >= FIRST_PIXELS:
                return Reading(syntax, elements, position)
            element, position = _element(file, position, explicit=syntax != IMPLICIT, depth=0)
            if element.tag <= last:
                raise UnreadableError("elements are not in the order of their tags")
            last = element.tag
            elements[element.tag] = element
    except struct.error as error:
        raise UnreadableError("an element ends after the file") from error
    return Reading(syntax, elements, position)


def _text(elements: dict[int, Element], tag: int) -> str:
    element = elements.get(tag)
    return element.value.rstrip(b"\0 ").decode("ascii", "replace") if element else ""


def _tag(file: bytes, position: int) -> int:
    group, number = struct.unpack_from("<HH", file, position)
    return int(group) << 16 | int(number)


def _element(file: bytes, position: int, *, explicit: bool, depth: int) -> tuple[Element, int]:
    """Return the element at a position, and where the next one begins."""
    tag = _tag(file, position)
    vr = b""
    if not explicit:
        (length,) = struct.unpack_from("<I", file, position + 4)
        begin = position + 8
    else:
        vr = file[position + 4 : position + 6]
        if vr in LONG:
            (length,) = struct.unpack_from("<I", file, position + 8)
            begin = position + 12
        elif vr.isalpha() and vr.isupper():
            (length,) = struct.unpack_from("<H", file, position + 6)
            begin = position + 8
        else:
            raise UnreadableError("an element without VR")
    if length == UNDEFINED:
        # An element of VR UN and undefined length holds items in implicit VR (PS3.5 6.2.2).
        end = _items_end(file, begin, explicit=explicit and vr != b"UN", depth=depth + 1)
        return Element(tag, vr.decode() or "SQ", b""), end
    end = begin + length
    if end > len(file):
        raise UnreadableError("an element ends after the file")
    return Element(tag, vr.decode(), b"" if vr == b"SQ" else file[begin:end]), end


def _items_end(file: bytes, position: int, *, explicit: bool, depth: int) -> int:
    """Return where a sequence of undefined length ends (PS3.5 7.5.2)."""
    if depth > DEEPEST:
        raise UnreadableError(f"more than {DEEPEST} sequences within each other")
    while True:
        tag = _tag(file, position)
        (length,) = struct.unpack_from("<I", file, position + 4)
        position += 8
        if tag == SEQUENCE_END:
            return position
        if tag != ITEM:
            raise UnreadableError("something else than an item in a sequence")
        if length != UNDEFINED:
            position += int(length)
            if position > len(file):
                raise UnreadableError("an item ends after the file")
            continue
        while _tag(file, position) != ITEM_END:
            _, position = _element(file, position, explicit=explicit, depth=depth)
        position += 8
