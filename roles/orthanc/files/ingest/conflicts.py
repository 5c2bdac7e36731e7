"""Whether what arrives contradicts what the archive has: a UID belongs to one object, series, study and patient."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from rules import INSTANCE, SERIES, STUDY, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

FRESH_SECONDS = 5.0
"""For how long an answer of the index is believed, and an object that was let in counts as being there."""
MOST_FRESH = 20_000


@dataclass(frozen=True)
class Names:
    """The identifiers of an object, from the patient down."""

    patient: str
    study: str
    series: str
    instance: str


class Index(Protocol):
    """What the archive has."""

    def patients_of(self, study: str) -> Sequence[str]:
        """Return the identifiers under which a Study Instance UID is filed."""

    def studies_of(self, series: str) -> Sequence[str]:
        """Return the studies in which a Series Instance UID is filed."""

    def places_of(self, instance: str) -> Sequence[tuple[str, Names]]:
        """Return the archive's names of the objects with a SOP Instance UID, and where they are filed."""


class Fresh:
    """What was seen or let in a moment ago, by UID; what is older is forgotten."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember by this clock."""
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Any]] = OrderedDict()

    def put(self, uid: str, what: Any) -> None:
        """Remember something of a UID."""
        self._known.pop(uid, None)
        self._known[uid] = (self._clock() + FRESH_SECONDS, what)
        if len(self._known) > MOST_FRESH:
            self._known.popitem(last=False)

    def get(self, uid: str) -> Any:
        """Return what is remembered of a UID; None when nothing is."""
        until, what = self._known.get(uid, (0.0, None))
        return what if until > self._clock() else None


@dataclass(frozen=True)
class Found:
    """What the archive has of an object that arrives: why it is not taken, or under which names it is there already.

    ``known_study``: its study is there, of its patient.
    """

    refusal: Refusal | None = None
    under: Names | None = None
    known_study: bool = False


@dataclass
class Conflicts:
    """Compares what arrives with the index.

    Objects that arrive at the same time are not in the index yet: what is let in is remembered for a while.
    """

    index: Index
    _studies: Fresh = field(default_factory=Fresh)
    _series: Fresh = field(default_factory=Fresh)
    _instances: Fresh = field(default_factory=Fresh)

    def find(self, names: Names, digest: str, belongs: Callable[[str], bool], same: Callable[[str], bool]) -> Found:
        """Compare.

        Args:
            names: of the object that arrives.
            digest: of its file.
            belongs: tells whether another patient identifier means the same patient by now.
            same: tells whether a stored object, by the archive's name, is this one.
        """
        for stored, place in self.index.places_of(names.instance):
            if (place.study, place.series) != (names.study, names.series) or not same(stored):
                return _refused("instance-conflict", INSTANCE, "SOPInstanceUID")
            return Found(under=place)
        if self._instances.get(names.instance) not in {None, (names, digest)}:
            return _refused("instance-conflict", INSTANCE, "SOPInstanceUID")
        study = self._series.get(names.series)
        studies = self.index.studies_of(names.series) if study is None else (study,)
        if any(study != names.study for study in studies):
            return _refused("series-conflict", SERIES, "SeriesInstanceUID")
        patient = self._studies.get(names.study)
        patients = self.index.patients_of(names.study) if patient is None else (patient,)
        if any(patient != names.patient and not belongs(patient) for patient in patients):
            return _refused("study-conflict", STUDY, "StudyInstanceUID")
        return Found(known_study=bool(patients))

    def let_in(self, names: Names, digest: str) -> None:
        """Remember an object that is about to be stored."""
        self._instances.put(names.instance, (names, digest))
        self._series.put(names.series, names.study)
        self._studies.put(names.study, names.patient)


def _refused(reason: str, status: int, attribute: str) -> Found:
    return Found(Refusal(reason, status, attribute))
