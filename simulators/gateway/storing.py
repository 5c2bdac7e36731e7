"""Objects that somebody adds: whose they are, before an archive sees them (PS3.18 10.5)."""

from __future__ import annotations

import json
import re
import uuid
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from simulators.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

BOUNDARY = re.compile(
    r"""multipart/related;(?=.*\btype="?application/dicom"?)(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([0-9A-Za-z'+_.-]{1,70}))(?:;.*)?""",
    re.IGNORECASE,
)
LARGEST = 64 * 2**20
"""Octets of a request; what is larger goes by C-STORE."""
MOST = 2000
"""Objects of a request."""
NAMES = ("PatientID", "StudyInstanceUID", "SOPInstanceUID")
STORED, INSTANCE = "00081199", "00081155"
"""Referenced SOP Sequence and Referenced SOP Instance UID."""


@dataclass(frozen=True)
class Added:
    """An object that somebody adds; ``content`` is its file (PS3.10)."""

    patient: str
    study: str
    instance: str
    content: bytes


def message_of(objects: Sequence[Added]) -> tuple[str, bytes]:
    """Return the content type and the body of a message with these objects.

    The archive gets a message of the gateway's own, because another reader could see other parts in the caller's: a
    boundary inside an object would bring an object of a patient whom nobody has looked at.
    """
    mark = uuid.uuid4().hex
    body = bytearray()
    for entry in objects:
        head = f"--{mark}\r\nContent-Type: application/dicom\r\nContent-Length: {len(entry.content)}\r\n\r\n"
        body += head.encode() + entry.content + b"\r\n"
    body += f"--{mark}--\r\n".encode()
    return f'multipart/related; type="application/dicom"; boundary={mark}', bytes(body)


def stored(answer: bytes) -> frozenset[str]:
    """The SOP Instance UIDs that an archive says it has stored (PS3.18 10.5.1)."""
    try:
        told = json.loads(answer)
        entries = told.get(STORED, {}).get("Value", [])
        return frozenset(uid for entry in entries for uid in entry.get(INSTANCE, {}).get("Value", []))
    except (ValueError, AttributeError, TypeError):
        return frozenset()


def objects_of(content_type: str, body: bytes) -> list[Added]:
    """Read the objects of a request, without their pixels.

    Raises:
        ArgumentError: it is no multipart/related message of DICOM objects (RFC 2387).
    """
    found = BOUNDARY.fullmatch(content_type)
    if not found:
        raise _unreadable("its Content-Type is not multipart/related of application/dicom")
    mark = b"--" + (found[1] or found[2]).encode("ascii", "replace")
    first, *parts = (b"\r\n" + body).split(b"\r\n" + mark)
    if first.strip() or len(parts) < 2 or not parts[-1].startswith(b"--") or len(parts) - 1 > MOST:  # noqa: PLR2004 # a part and the end
        raise _unreadable("its parts cannot be told apart")
    return [_object(part) for part in parts[:-1]]


def _object(part: bytes) -> Added:
    head, gap, content = part.partition(b"\r\n\r\n")
    if not gap or b"application/dicom" not in head.lower():
        raise _unreadable("a part is no DICOM object")
    try:
        dataset = dcmread(BytesIO(content), stop_before_pixels=True, specific_tags=list(NAMES))
        patient, study, instance = (str(dataset.get(keyword) or "") for keyword in NAMES)
    except (InvalidDicomError, ValueError, KeyError, AttributeError, EOFError, OSError, NotImplementedError) as error:
        raise _unreadable(f"a part cannot be read as DICOM ({type(error).__name__})") from None
    if not (patient and study and instance):
        raise _unreadable("an object does not say whose it is")
    return Added(patient, study, instance, content)


def _unreadable(why: str) -> ArgumentError:
    return ArgumentError(
        f"the objects were not added: {why}", remedy="Send a multipart/related message of DICOM objects."
    )
