"""Rejection notes as an archive acts on them (RAD-66): which objects they name, and what becomes of those."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pydicom

from simulators.dicom_text import is_uid
from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.rejections import SCHEME, Title

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator

    from pydicom.dataset import Dataset

    from simulators.events.vocabulary import Reason


@dataclass(frozen=True)
class Named:
    """An object, by its UIDs."""

    series: str
    instance: str
    sop_class: str


@dataclass(frozen=True)
class Note:
    """A rejection note: which one it is, why it rejects, and what."""

    own: Named
    study: str
    title: Title
    rejects: tuple[Named, ...]


@dataclass(frozen=True)
class Rejected:
    """An object that a note has rejected, or such a note itself."""

    instance: str
    series: str
    study: str
    sop_class: str
    title: str
    note: str

    @property
    def reason(self) -> Reason:
        """Why it is kept out of the archive."""
        return reasons.REJECTION_NOTE if self.is_note else reasons.REJECTED_IMAGE

    @property
    def is_note(self) -> bool:
        """Whether it is the note."""
        return self.instance == self.note

    @property
    def expired(self) -> bool:
        """Whether it has to be deleted: it was kept for as long as it had to be."""
        return self.title == Title.RETENTION and not self.is_note


def read_note(file: bytes) -> Note | None:
    """Read a key object selection; None when its title rejects nothing.

    Raises:
        ArgumentError: it rejects, and does not say properly what.
    """
    document = pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True)
    title = _title(document)
    if title is None:
        return None
    own = Named(str(document.SeriesInstanceUID), str(document.SOPInstanceUID), str(document.SOPClassUID))
    study = str(document.StudyInstanceUID)
    rejects = tuple(_evidence(document, study))
    if not rejects or not all(is_uid(uid) for named in rejects for uid in (named.series, named.instance)):
        raise ArgumentError("the note rejects nothing, or names it by no UIDs", remedy="Ask for another one.")
    return Note(own, study, title, rejects)


def _title(document: Dataset) -> Title | None:
    items = document.get("ConceptNameCodeSequence") or []
    code = (str(items[0].get("CodeValue", "")), str(items[0].get("CodingSchemeDesignator", ""))) if items else None
    return next((title for title in Title if code == (title.value, SCHEME)), None)


def _evidence(document: Dataset, study: str) -> Iterator[Named]:
    """What the note names (PS3.3 C.17.6.2.1), all of its own study: no other is looked at.

    Raises:
        ArgumentError: it names another study, or has no references.
    """
    try:
        for of_study in document.CurrentRequestedProcedureEvidenceSequence:
            if str(of_study.StudyInstanceUID) != study:
                raise ArgumentError("the note names objects of another study", remedy="A note is for one study.")
            for series in of_study.ReferencedSeriesSequence:
                for item in series.ReferencedSOPSequence:
                    instance, sop_class = str(item.ReferencedSOPInstanceUID), str(item.ReferencedSOPClassUID)
                    yield Named(str(series.SeriesInstanceUID), instance, sop_class)
    except AttributeError as error:
        raise ArgumentError("the note lacks references", remedy="Ask for another one.") from error


def keep(db: sqlite3.Connection, note: Note) -> None:
    """Remember what a note rejects, and that it has to leave the archive; the same note once more changes nothing."""
    now = time.time()
    db.executemany(
        "INSERT INTO rejected (instance, series, study, sop_class, title, note, at) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        [
            (named.instance, named.series, note.study, named.sop_class, note.title.value, note.own.instance, now)
            for named in (note.own, *note.rejects)
        ],
    )
    ask_withdrawal(db, note.study)


def ask_withdrawal(db: sqlite3.Connection, study: str) -> None:
    """Ask that what of a study must not be in the archive be taken out."""
    db.execute("INSERT INTO withdrawals (study) VALUES (?) ON CONFLICT DO NOTHING", (study,))


def forget(db: sqlite3.Connection, instance: str) -> None:
    """Let an object be in the archive again: somebody has released it."""
    db.execute("DELETE FROM rejected WHERE instance = ?", (instance,))


def rejected_as(db: sqlite3.Connection, instance: str) -> Rejected | None:
    """How an object was rejected; None when it was not."""
    return next(_found(db, "instance", instance), None) if instance else None


def rejected_of(db: sqlite3.Connection, study: str) -> list[Rejected]:
    """What of a study was rejected, without the notes."""
    return [row for row in _found(db, "study", study) if not row.is_note]


def _found(db: sqlite3.Connection, column: str, value: str) -> Iterator[Rejected]:
    columns = ", ".join(Rejected.__dataclass_fields__)
    rows: Iterable[sqlite3.Row] = db.execute(
        f"SELECT {columns} FROM rejected WHERE {column} = ? ORDER BY instance",  # noqa: S608 - our own names
        (value,),
    ).fetchall()
    return (Rejected(**dict(row)) for row in rows)
