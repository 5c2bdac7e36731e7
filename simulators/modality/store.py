"""RAD-8 Modality Images Stored: C-STORE, an association for each series."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.imaging.transfer import negotiated, store

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulators.imaging.transfer import Parcel
    from simulators.modality.links import Links


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
