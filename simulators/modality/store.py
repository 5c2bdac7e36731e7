"""RAD-8 Modality Images Stored: C-STORE, an association for each series, the files as they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pynetdicom import _config

from simulators.association import contexts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

    from simulators.modality.links import Links

# Files are sent from disk as they are encoded: nothing is decoded and encoded again.
_config.STORE_SEND_CHUNKED_DATASET = True

_SUCCESS = 0x0000
_WARNINGS = range(0xB000, 0xC000)


@dataclass(frozen=True)
class Parcel:
    """A file to send, and what has to be negotiated for it."""

    uid: str
    sop_class: str
    syntax: str
    series: str
    path: Path


@dataclass(frozen=True)
class Outcome:
    """What the archive said of one object; no ``error`` means that it has it."""

    uid: str
    error: str = ""


def send(links: Links, parcels: Iterable[Parcel]) -> Iterator[Outcome]:
    """Send objects series by series and yield what became of each, as it is known.

    Raises:
        AssociationRejectedError, TlsRefusedError, UnreachableError: there is no association.
            What was yielded before stays true.
    """
    series: dict[str, list[Parcel]] = {}
    for parcel in parcels:
        series.setdefault(parcel.series, []).append(parcel)
    for members in series.values():
        with links.open(links.archive, negotiated(members)) as association:
            for parcel in members:
                yield Outcome(parcel.uid, store(association, parcel))


def negotiated(parcels: Sequence[Parcel]) -> list[PresentationContext]:
    """One presentation context for each pair of SOP class and transfer syntax."""
    pairs = dict.fromkeys((parcel.sop_class, parcel.syntax) for parcel in parcels)
    return [context for sop_class, syntax in pairs for context in contexts([sop_class], [syntax])]


def store(association: Association, parcel: Parcel) -> str:
    """Send one object and return what was wrong, or nothing."""
    if not association.is_established:
        return "the association was aborted"
    try:
        answer = association.send_c_store(parcel.path).get("Status")
    except ValueError:
        return "the archive does not accept this SOP class and transfer syntax"
    if answer is None:
        return "no answer"
    if answer == _SUCCESS or answer in _WARNINGS:
        return ""
    return f"status 0x{answer:04X}"
