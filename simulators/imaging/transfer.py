"""C-STORE of DICOM files as they are on disk: nothing is decoded and encoded again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.errors import InvalidDicomError
from pynetdicom import _config

from simulators.association import contexts
from simulators.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

_config.STORE_SEND_CHUNKED_DATASET = True

NO_ANSWER = "no answer"
ABORTED = "the association was aborted"
_SUCCESS = 0x0000
_WARNINGS = range(0xB000, 0xC000)


@dataclass(frozen=True)
class Parcel:
    """A file to send, and what has to be negotiated for it."""

    uid: str
    sop_class: str
    syntax: str
    path: Path


def parcel_of(path: Path) -> Parcel:
    """Read what a file is.

    Raises:
        InvalidDicomError: not a DICOM file.
    """
    head = dcmread(path, stop_before_pixels=True, specific_tags=["SOPClassUID", "SOPInstanceUID"])
    syntax = str(head.file_meta.TransferSyntaxUID)
    return Parcel(str(head.SOPInstanceUID), str(head.SOPClassUID), syntax, path)


def parcels_of(folder: Path) -> list[Parcel]:
    """The DICOM files below a folder; other files are passed over.

    Raises:
        ArgumentError: there is none.
    """
    found = []
    for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
        try:
            found.append(parcel_of(path))
        except InvalidDicomError:
            continue
    if not found:
        raise ArgumentError(f"{folder} holds no DICOM files.", remedy="Name another folder.")
    return found


def negotiated(parcels: Sequence[Parcel]) -> list[PresentationContext]:
    """One presentation context for each pair of SOP class and transfer syntax."""
    pairs = dict.fromkeys((parcel.sop_class, parcel.syntax) for parcel in parcels)
    return [context for sop_class, syntax in pairs for context in contexts([sop_class], [syntax])]


def store(association: Association, parcel: Parcel) -> str:
    """Send one object and return what was wrong; empty when the peer has it (success or warning, PS3.4 B.2.3)."""
    if not association.is_established:
        return ABORTED
    try:
        answer = association.send_c_store(parcel.path).get("Status")
    except ValueError:
        return "the archive does not accept this SOP class and transfer syntax"
    if answer is None:
        return NO_ANSWER
    if answer == _SUCCESS or answer in _WARNINGS:
        return ""
    return f"status 0x{answer:04X}"
