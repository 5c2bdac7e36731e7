"""Objects that do not fit: kept outside of the archive, where no query finds them, until somebody decides on them."""

from __future__ import annotations

import hashlib
import io
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import pydicom

from simulators.errors import ArgumentError, NotFoundError, RefusedError, SimulatorError
from simulators.events import reasons
from simulators.events.actions import HOLD, RESOLVE
from simulators.events.report import write_event, write_failure
from simulators.image_manager.durable import write_durably
from simulators.image_manager.rejection import Note, forget, keep, rejected_as
from simulators.image_manager.schedule import Arrival, misfit, unwanted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from simulators.events.vocabulary import Facts, Reason
    from simulators.image_manager.orthanc import OrthancClient
    from simulators.image_manager.store import Store

HELD, RELEASED, DISCARDED = "held", "released", "discarded"


@dataclass(frozen=True)
class Held:
    """An object in quarantine; ``file`` is its name in the folder."""

    id: int
    instance: str
    series: str
    study: str
    patient: str
    accession: str
    ae_title: str
    reason: str
    file: str
    at: float
    state: str

    @property
    def names(self) -> Facts:
        """What identifies it in an event."""
        return {
            "ae_title": self.ae_title, "patient": self.patient, "study": self.study, "accession": self.accession,
            "series": self.series, "instance": self.instance,
        }  # fmt: skip


@dataclass(frozen=True)
class Quarantine:
    """The folder with the objects, and the database of what they are."""

    store: Store
    archive: OrthancClient
    folder: Path

    def hold(self, file: bytes, reason: Reason, ae_title: str) -> None:
        """Keep an object; it is on disk at the end. One that is held already stays as it is.

        Raises:
            RefusedError: another object with its SOP Instance UID is held.
        """
        dataset = pydicom.dcmread(io.BytesIO(file), stop_before_pixels=True)
        name = f"{hashlib.sha256(file).hexdigest()}.dcm"
        names: Facts = {
            "instance": str(dataset.SOPInstanceUID), "series": str(dataset.SeriesInstanceUID),
            "study": str(dataset.StudyInstanceUID), "patient": str(dataset.PatientID),
            "accession": str(dataset.get("AccessionNumber") or ""),
        }  # fmt: skip
        with self.store.transaction() as db:
            for other in held(db):
                if other.instance == names["instance"]:
                    if other.file == name:
                        return
                    raise RefusedError("another object with this UID is held", remedy="See `quarantine`.")
            write_durably(self.folder / name, file)
            db.execute(
                "INSERT INTO held (instance, series, study, patient, accession, ae_title, reason, file, at, state)"
                " VALUES (:instance, :series, :study, :patient, :accession, :ae_title, :reason, :file, :at, :state)",
                {**names, "ae_title": ae_title, "reason": reason.word, "file": name, "at": time.time(), "state": HELD},
            )
        write_event(HOLD, reason=reason, ae_title=ae_title, **names)

    def sop_class(self, entry: Held) -> str:
        """Return the SOP class of an object, read from its file."""
        return str(pydicom.dcmread(self.folder / entry.file, stop_before_pixels=True).SOPClassUID)

    def reject(self, file: bytes, note: Note, ae_title: str) -> None:
        """Keep a rejection note, which is on disk at the end; what it names leaves the archive.

        Raises:
            RefusedError: another object with its SOP Instance UID is held.
        """
        with self.store.transaction() as db:
            keep(db, note)
        self.hold(file, reasons.REJECTION_NOTE, ae_title)

    def withdraw(self, study: str) -> int:
        """Take out of the archive what of a study must not be there, into quarantine; return how many objects."""
        taken = 0
        for stored in self.archive.instances_with(study):
            with self.store.transaction() as db:
                reason = unwanted(db, study, stored.instance)
            if reason is None:
                continue
            try:
                file = self.archive.file(stored.resource)
            except NotFoundError:
                continue  # deleted meanwhile
            self.hold(file, reason, "")
            self.archive.delete(stored.resource)
            taken += 1
        return taken

    def expire(self) -> None:
        """Delete what is held and was kept for as long as it had to be (113039)."""
        with self.store.transaction() as db:
            found = [(entry, rejected_as(db, entry.instance)) for entry in held(db)]
        for entry, rejected in found:
            if rejected is not None and rejected.expired:
                self.discard(entry)

    def review(self) -> None:
        """Release what fits by now: the filler's message may come after the images."""
        with self.store.transaction() as db:
            fitting = [entry for entry in held(db) if misfit(db, _arrival(entry)) is None]
        for entry in fitting:
            try:
                self.release(entry)
            except SimulatorError as error:
                write_failure(RESOLVE, error, waiting=True, **entry.names)

    def release(self, entry: Held) -> None:
        """Put an object into the archive.

        Raises:
            RefusedError: the archive has another one with its UIDs.
            UnreachableError: the archive does not answer.
        """
        for place in self.archive.places_of(entry.instance, entry.study):
            if place != entry.patient:
                raise RefusedError(
                    f"the archive has study {entry.study}, or the object, of patient {place}",
                    remedy="Discard the one that is wrong.",
                )
        self.archive.add((self.folder / entry.file).read_bytes())
        self._settle(entry, RELEASED)

    def discard(self, entry: Held) -> None:
        """Give an object up; its file is deleted."""
        self._settle(entry, DISCARDED)

    def _settle(self, entry: Held, state: str) -> None:
        with self.store.transaction() as db:
            db.execute("UPDATE held SET state = ?, settled = ? WHERE id = ?", (state, time.time(), entry.id))
            if state == RELEASED:
                forget(db, entry.instance)
        # Only after the database knows: a stop in between leaves a file too many, never one too few.
        (self.folder / entry.file).unlink(missing_ok=True)
        write_event(RESOLVE, **entry.names, state=state)


def held(db: sqlite3.Connection) -> list[Held]:
    """Return what is in quarantine, oldest first."""
    columns = ", ".join(Held.__dataclass_fields__)
    rows = db.execute(f"SELECT {columns} FROM held WHERE state = ? ORDER BY id", (HELD,))  # noqa: S608 - our own names
    return [Held(**dict(row)) for row in rows]


def chosen(db: sqlite3.Connection, numbers: Iterable[int], study: str | None) -> list[Held]:
    """Return the objects that are named by number or by study.

    Raises:
        ArgumentError: none is named.
        NotFoundError: one that is named is not in quarantine.
    """
    wanted = set(numbers)
    if not wanted and study is None:
        raise ArgumentError("no object is named", remedy="Name numbers of `quarantine`, or a study with --study.")
    found = [entry for entry in held(db) if entry.id in wanted or entry.study == study]
    if missing := wanted - {entry.id for entry in found}:
        raise NotFoundError(f"nothing in quarantine has number {min(missing)}", remedy="`quarantine` lists it.")
    if not found:
        raise NotFoundError(f"nothing of study {study} is in quarantine", remedy="`quarantine` lists it.")
    return found


def as_row(entry: Held) -> dict[str, object]:
    """Return an object as a list shows it."""
    return {name: value for name, value in asdict(entry).items() if name not in {"file", "state"}}


def _arrival(entry: Held) -> Arrival:
    return Arrival(entry.patient, entry.study, entry.accession, instance=entry.instance)
