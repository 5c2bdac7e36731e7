"""Bringing the archive's images to what is known of their patients.

Orthanc 1.12.7 cannot change objects in place while ``OverwriteInstances`` is off: its ``/modify`` with kept UIDs
reports success and changes nothing. Switching it on would let any sender replace stored images, so the manager takes
each object out, restamps it and puts it back itself; a copy in the spool bridges the moment in between.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.errors import NotFoundError, RefusedError, UnreachableError
from simulators.events.actions import RECOVER, RESTAMP
from simulators.events.report import write_event, write_failure
from simulators.image_manager.durable import write_durably
from simulators.image_manager.restamp import restamp
from simulators.image_manager.store import ask_work, pause
from simulators.image_manager.troubles import (
    DROPPED,
    SET_ASIDE,
    Queue,
    clear,
    count_error,
    excluded,
    item_of,
    tell_set_aside,
    text_of,
    troubles,
)

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.events.vocabulary import Facts
    from simulators.hl7content import Patient
    from simulators.image_manager.orthanc import OrthancClient
    from simulators.image_manager.store import Store

ATTEMPTS_TO_REPLACE = 5
"""A sender may store the old object again between its deletion and its return; it is deleted again."""


@dataclass(frozen=True)
class Reconciler:
    """Does the work that the store asks for; run by one thread at a time."""

    store: Store
    archive: OrthancClient
    spool: Path
    system: str

    def run_due(self) -> None:
        """Finish what a crash interrupted, then compare the images of every identifier that is due."""
        self.recover()
        with self.store.transaction() as db:
            due = db.execute(
                "SELECT * FROM work WHERE next_try <= ? AND "  # noqa: S608 - a condition of our own
                + excluded(Queue.RESTAMP, "identifier || ' ' || authority")
                + " ORDER BY next_try",
                (time.time(),),
            ).fetchall()
        for row in due:
            identifier, authority = row["identifier"], row["authority"]
            try:
                changed = self.apply(identifier, authority)
            except Exception as error:  # noqa: BLE001 - what one patient's objects hold must not stop the others
                self._postpone(identifier, authority, row["attempts"] + 1, error)
                continue
            with self.store.transaction() as db:
                clear(db, Queue.RESTAMP, item_of(identifier, authority))
                db.execute(
                    "DELETE FROM work WHERE identifier = ? AND authority = ? AND asked = ?",
                    (identifier, authority, row["asked"]),
                )
            if changed:
                write_event(RESTAMP, patient=identifier, authority=authority, instances=changed)

    def apply(self, identifier: str, authority: str) -> int:
        """Restamp every object filed under an identifier; return how many changed.

        Raises:
            Exception: what the first object met that could not be restamped; all others are.
        """
        identity = self.store.identity(identifier, authority)
        if identity is None:
            return 0
        failed: list[Exception] = []
        changed = sum(self._study(study, identity.patient, failed) for study in self.archive.studies_of(identifier))
        if failed:
            raise failed[0]
        return changed

    def notice(self, study: str) -> None:
        """Ask for work when a study has arrived under an identifier whose patient is known to differ."""
        tags = self.archive.resource("studies", study)["PatientMainDicomTags"]
        identifier = tags.get("PatientID", "")
        for authority in self.store.authorities(identifier):
            identity = self.store.identity(identifier, authority)
            if identity is not None and _differs(tags, identity.patient):
                with self.store.transaction() as db:
                    ask_work(db, identifier, authority)

    def recover(self) -> None:
        """Put back what stands in the spool: objects that were taken out when the manager or the archive stopped."""
        for path in sorted(self.spool.glob("*.dcm")):
            with self.store.transaction() as db:
                if any(trouble.item == path.name for trouble in troubles(db, SET_ASIDE, DROPPED)):
                    continue
            try:
                self._replace(None, path.read_bytes())
            except UnreachableError:
                raise
            except Exception as error:  # noqa: BLE001 - one file must not stop the others, nor what comes after them
                with self.store.transaction() as db:
                    aside = count_error(db, Queue.RECOVER, path.name, error)
                if aside:
                    tell_set_aside(RECOVER, error, file=path.name)
                else:
                    write_failure(RECOVER, error, waiting=True, file=path.name)
                continue
            path.unlink()
            with self.store.transaction() as db:
                clear(db, Queue.RECOVER, path.name)
            write_event(RECOVER, file=path.name)

    def _study(self, study: str, patient: Patient, failed: list[Exception]) -> int:
        """Restamp a study's objects; what an object meets that cannot be is added to `failed`."""
        changed, last = 0, None
        for instance in self.archive.instances_of(study):
            try:
                file = self.archive.file(instance)
            except NotFoundError:
                continue  # deleted meanwhile
            try:
                stamped = restamp(file, patient, system=self.system)
                if stamped is None:
                    continue
                last = self._exchange(instance, stamped)
            except UnreachableError:
                raise
            except Exception as error:  # noqa: BLE001 - the patient's other objects are still brought up to date
                failed.append(error)
                continue
            changed += 1
        if last is not None:
            # The index took the patient's and the study's attributes from the first object it saw of them.
            self.archive.reconstruct_of(last)
        return changed

    def _exchange(self, instance: str, stamped: bytes) -> str:
        spooled = self.spool / f"{hashlib.sha256(stamped).hexdigest()}.dcm"
        write_durably(spooled, stamped)
        stored = self._replace(instance, stamped)
        spooled.unlink()
        return stored

    def _replace(self, instance: str | None, stamped: bytes) -> str:
        """Store an object in place of `instance`, or of whatever has its UIDs."""
        for _ in range(ATTEMPTS_TO_REPLACE):
            if instance is not None:
                self.archive.delete(instance)
            stored, new = self.archive.add(stamped)
            if new:
                return stored
            instance = stored
        raise RefusedError(
            f"the archive keeps an older version of {instance}",
            remedy="Look at who stores that object again and again.",
        )

    def _postpone(self, identifier: str, authority: str, attempts: int, error: Exception) -> None:
        facts: Facts = {"patient": identifier, "authority": authority, "attempts": attempts}
        with self.store.transaction() as db:
            aside = count_error(db, Queue.RESTAMP, item_of(identifier, authority), error)
        if aside:
            tell_set_aside(RESTAMP, error, **facts)
        else:
            write_failure(RESTAMP, error, waiting=True, **facts)
        with self.store.transaction() as db:
            db.execute(
                "UPDATE work SET attempts = ?, next_try = ?, error = ? WHERE identifier = ? AND authority = ?",
                (attempts, time.time() + pause(attempts), text_of(error), identifier, authority),
            )


def _differs(tags: dict[str, str], patient: Patient) -> bool:
    known = {
        "PatientID": patient.identifier,
        "PatientName": patient.dicom_name,
        "PatientBirthDate": patient.birth_date,
        "PatientSex": patient.dicom_sex,
    }
    return any(value and tags.get(keyword, "") != value for keyword, value in known.items())
