"""Objects that somebody adds: whose they are, before an archive sees them (PS3.18 10.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from simulators.errors import ArgumentError

BOUNDARY = re.compile(
    r"""multipart/related;(?=.*\btype="?application/dicom"?)(?:.*;)?\s*boundary=(?:"([^"\r\n]{1,70})"|([0-9A-Za-z'+_.-]{1,70}))(?:;.*)?""",
    re.IGNORECASE,
)
LARGEST = 128 * 2**20
"""Octets of a request; what is larger goes by C-STORE."""
MOST = 2000
"""Objects of a request."""


@dataclass(frozen=True)
class Added:
    """An object that somebody adds."""

    patient: str
    study: str
    instance: str


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
        dataset = dcmread(
            BytesIO(content), stop_before_pixels=True, specific_tags=["PatientID", "StudyInstanceUID", "SOPInstanceUID"]
        )
        added = Added(
            *(str(dataset.get(keyword) or "") for keyword in ("PatientID", "StudyInstanceUID", "SOPInstanceUID"))
        )
    except (InvalidDicomError, ValueError, KeyError, AttributeError, EOFError, OSError, NotImplementedError) as error:
        raise _unreadable(f"a part cannot be read as DICOM ({type(error).__name__})") from None
    if not (added.patient and added.study and added.instance):
        raise _unreadable("an object does not say whose it is")
    return added


def _unreadable(why: str) -> ArgumentError:
    return ArgumentError(
        f"the objects were not added: {why}", remedy="Send a multipart/related message of DICOM objects."
    )
