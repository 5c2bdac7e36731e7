"""RAD-49 Instance Availability Notification (PS3.4 R): the order filler learns which objects can be retrieved here."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from simulators.association import associate, contexts
from simulators.errors import (
    AssociationRejectedError,
    BusyError,
    NoAnswerError,
    NotReadyError,
    RefusedError,
    UnreachableError,
)
from simulators.events import reasons
from simulators.events.actions import NOTIFY_AVAILABILITY
from simulators.events.report import write_event, write_failure
from simulators.image_manager.quarantine import held
from simulators.image_manager.rejection import rejected_of
from simulators.image_manager.store import pause
from simulators.image_manager.troubles import (
    Queue,
    clear,
    count_error,
    excluded,
    item_of,
    tell_set_aside,
    text_of,
)
from simulators.settings import Peer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from simulators.events.vocabulary import Facts
    from simulators.image_manager.configuration import Configuration
    from simulators.image_manager.orthanc import OrthancClient, StoredInstance
    from simulators.image_manager.quarantine import Quarantine
    from simulators.image_manager.store import Store
    from simulators.settings import Settings

NOTIFICATION = "1.2.840.10008.5.1.4.33"
PERFORMED_STEP = "1.2.840.10008.3.1.2.3.3"
"""SOP classes (PS3.6 annex A)."""
PERMIT = "IAN"
ONLINE, UNAVAILABLE = "ONLINE", "UNAVAILABLE"
"""Instance Availability (0008,0056), PS3.3 C.4.23.1.1."""
_SUCCESS = 0x0000
_BUSY = frozenset({0x0110, 0x0213})
"""Processing failure and resource limitation (PS3.7 annex C): later it may be taken."""


def order_fillers(settings: Settings, configuration: Configuration) -> list[Peer]:
    """Whoever a flow lets this host notify, each at the loopback port of the edge that leads there.

    Raises:
        NotReadyError: the edge leads nowhere there.
    """
    found = []
    for peer in settings.find_peers("dicom-tls", permit=PERMIT):
        if peer.name not in configuration.outbound:
            raise NotReadyError(f"no loopback port leads to {peer.name}", remedy="Configure the host again.")
        port = configuration.outbound[peer.name]
        found.append(Peer(peer.name, peer.fqdn, "127.0.0.1", peer.ae_title, peer.roles, "dicom", port, peer.permits))
    return found


@dataclass(frozen=True)
class Notifier:
    """Tells one order filler of studies; what is said stays the same until it is answered.

    Attributes:
        store: which studies are to be told of.
        archive: what there is.
        quarantine: what there is no more.
        ae_title: this archive's.
        filler: the order filler.
    """

    store: Store
    archive: OrthancClient
    quarantine: Quarantine
    ae_title: str
    filler: Peer

    def run_due(self) -> None:
        """Tell of the studies that are due; what fails is tried again later."""
        with self.store.transaction() as db:
            due = db.execute(
                "SELECT * FROM notifications WHERE target = ? AND done < asked AND next_try <= ? AND "  # noqa: S608 - our own
                + excluded(Queue.NOTIFY, "study || ' ' || target")
                + " ORDER BY next_try",
                (self.filler.name, time.time()),
            ).fetchall()
        for row in due:
            facts: Facts = {"peer": self.filler.name, "ae_title": self.ae_title, "study": row["study"]}
            try:
                drafted = self._drafted(row)
                if drafted["content"]:
                    self._send(drafted, facts)
            except Exception as error:  # noqa: BLE001 - what one study meets must not stop the others
                self._postpone(row, error, facts)
                if isinstance(error, UnreachableError | AssociationRejectedError):
                    return  # it is the peer that is away, or the archive: the others wait too
            else:
                self._done(drafted)

    def _drafted(self, row: sqlite3.Row) -> sqlite3.Row:
        """Return the row with what is to be said, and its UID; what was said before without an answer is said again."""
        if row["uid"]:
            return row
        study: str = row["study"]
        instances = self.archive.instances_with(study)
        with self.store.transaction() as db:
            gone = self._gone(db, study)
        steps = self._performed_steps(instances)
        content = notification(self.ae_title, study, instances, gone, steps).to_json() if instances or gone else ""
        with self.store.transaction() as db:
            db.execute(
                "UPDATE notifications SET uid = ?, content = ?, drafted = ?, instances = ?"
                " WHERE study = ? AND target = ?",
                (str(generate_uid(prefix=None)), content, row["asked"], len(instances), study, row["target"]),
            )
            drafted: sqlite3.Row = db.execute(
                "SELECT * FROM notifications WHERE study = ? AND target = ?", (study, row["target"])
            ).fetchone()
        return drafted

    def _gone(self, db: sqlite3.Connection, study: str) -> list[tuple[str, str, str]]:
        """Series, instance and SOP class of what nobody can retrieve: held, or rejected; notes are left out."""
        found = {
            one.instance: (one.series, one.instance, self.quarantine.sop_class(one))
            for one in held(db)
            if one.study == study and one.reason != reasons.REJECTION_NOTE.word
        }
        found |= {one.instance: (one.series, one.instance, one.sop_class) for one in rejected_of(db, study)}
        return list(found.values())

    def _performed_steps(self, instances: Iterable[StoredInstance]) -> list[str]:
        """Return the performed procedure steps that the objects name; those of a series are of one."""
        firsts = {one.series: one.resource for one in instances}
        named = (self.archive.performed_step(resource) for resource in firsts.values())
        return list(dict.fromkeys(uid for uid in named if uid))

    def _send(self, row: sqlite3.Row, facts: Facts) -> None:
        """Send N-CREATE.

        Raises:
            RefusedError: the order filler refuses; BusyError when it may take it later.
            UnreachableError: it is away, or did not answer.
        """
        content = Dataset.from_json(json.loads(row["content"]))
        with associate(self.filler, contexts([NOTIFICATION]), calling=self.ae_title, tls=None) as association:
            status, _ = association.send_n_create(content, NOTIFICATION, row["uid"])
        answer = status.get("Status")
        if answer is None:
            raise NoAnswerError(f"{self.filler.name} did not answer N-CREATE", remedy="Look at its health and log.")
        if answer != _SUCCESS:
            raise (BusyError if answer in _BUSY else RefusedError)(
                f"{self.filler.name} refused N-CREATE: status 0x{answer:04X} {status.get('ErrorComment', '')}".rstrip(),
                remedy="Look at its log for the reason.",
            )
        write_event(NOTIFY_AVAILABILITY, **(facts | _counts(content)))

    def _done(self, row: sqlite3.Row) -> None:
        with self.store.transaction() as db:
            clear(db, Queue.NOTIFY, item_of(row["study"], row["target"]))
            db.execute(
                "UPDATE notifications SET done = drafted, uid = '', content = '', attempts = 0, error = NULL,"
                " told_at = ? WHERE study = ? AND target = ?",
                (time.time(), row["study"], row["target"]),
            )

    def _postpone(self, row: sqlite3.Row, error: Exception, facts: Facts) -> None:
        attempts = row["attempts"] + 1
        aside = False
        if not isinstance(error, AssociationRejectedError | BusyError):
            with self.store.transaction() as db:
                aside = count_error(db, Queue.NOTIFY, item_of(row["study"], row["target"]), error)
        if aside:
            tell_set_aside(NOTIFY_AVAILABILITY, error, **facts, attempts=attempts)
        else:
            write_failure(NOTIFY_AVAILABILITY, error, waiting=True, **facts, attempts=attempts)
        with self.store.transaction() as db:
            db.execute(
                "UPDATE notifications SET attempts = ?, next_try = ?, error = ? WHERE study = ? AND target = ?",
                (attempts, time.time() + pause(attempts), text_of(error), row["study"], row["target"]),
            )


def notification(
    ae_title: str,
    study: str,
    instances: Iterable[StoredInstance],
    gone: Iterable[tuple[str, str, str]],
    steps: Iterable[str],
) -> Dataset:
    """The attributes of N-CREATE (PS3.4 Table R.3.2-1).

    Args:
        ae_title: of the archive, which serves what it has.
        study: Study Instance UID.
        instances: the study's objects in the archive.
        gone: series, instance and SOP class of those that nobody can retrieve.
        steps: SOP Instance UIDs of the performed procedure steps.
    """
    content = Dataset()
    content.ReferencedPerformedProcedureStepSequence = [_step(uid) for uid in steps]
    content.StudyInstanceUID = study
    series: dict[str, list[Dataset]] = {}
    for one in instances:
        series.setdefault(one.series, []).append(_reference(ae_title, one.instance, one.sop_class, ONLINE))
    for of, instance, sop_class in gone:
        series.setdefault(of, []).append(_reference(ae_title, instance, sop_class, UNAVAILABLE))
    content.ReferencedSeriesSequence = [_series(uid, members) for uid, members in series.items()]
    return content


def _step(uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = PERFORMED_STEP, uid
    item.PerformedWorkitemCodeSequence = []
    return item


def _series(uid: str, members: list[Dataset]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = uid
    item.ReferencedSOPSequence = members
    return item


def _reference(ae_title: str, instance: str, sop_class: str, availability: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    item.InstanceAvailability = availability
    item.RetrieveAETitle = ae_title
    return item


def _counts(content: Dataset) -> Facts:
    """How many objects a notification says there are, and are no more."""
    states = [
        instance.InstanceAvailability
        for series in content.ReferencedSeriesSequence
        for instance in series.ReferencedSOPSequence
    ]
    return {"instances": states.count(ONLINE), "unavailable": states.count(UNAVAILABLE)}
