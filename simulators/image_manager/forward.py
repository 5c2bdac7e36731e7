"""Archiving onward: every series that settles here is sent to each archive that a flow names; no outage loses one."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from simulators.deadline import Deadline
from simulators.errors import NoAnswerError, NotFoundError, RefusedError, SimulatorError, UnreachableError
from simulators.events.actions import BEGIN_TRANSFER, FORWARD, RECEIVE_IMAGES, WORK
from simulators.events.report import write_event, write_failure
from simulators.image_manager.orthanc import Change
from simulators.image_manager.rejection import ask_withdrawal, rejected_of
from simulators.image_manager.store import ask_notification, ask_transfer, pause, set_cursor
from simulators.image_manager.troubles import (
    DROPPED,
    SET_ASIDE,
    WAITING,
    Queue,
    clear,
    count_error,
    excluded,
    item_of,
    set_aside,
    tell_set_aside,
    text_of,
    troubles,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from simulators.events.vocabulary import Facts
    from simulators.image_manager.orthanc import OrthancClient
    from simulators.image_manager.reconcile import Reconciler
    from simulators.image_manager.store import Store

CURSOR = "changes"
JOB_SECONDS = 3600.0
PART = 200
"""Instances that are sent at once: what of a long series was taken before an outage is not sent again."""
POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Follower:
    """Follows the archive's change log from where it stopped, and notes what follows from each change."""

    store: Store
    archive: OrthancClient
    reconciler: Reconciler
    targets: tuple[str, ...]
    fillers: tuple[str, ...] = ()
    """Order fillers that are told of what is available."""

    def sweep(self) -> None:
        """Compare all series with what was sent, and all studies with what was told.

        The archive forgets which of them had not settled when it stopped, so their change never comes; and there may
        have been images before the manager was.
        """
        if not self.targets and not self.fillers:
            return
        counts: dict[str, int] = {}
        for page in self._pages("series"):
            counts |= {series["ID"]: len(series["Instances"]) for series in page}
            with self.store.transaction() as db:
                for series in page:
                    for target in self.targets:
                        if series["IsStable"] and self._is_missing(db, series, target):
                            ask_transfer(db, series["ID"], target)
        for page in self._pages("studies") if self.fillers else ():
            with self.store.transaction() as db:
                for study in page:
                    uid = study["MainDicomTags"]["StudyInstanceUID"]
                    present = sum(counts.get(series, 0) for series in study["Series"])
                    for filler in self.fillers:
                        if study["IsStable"] and _told(db, uid, filler) != present:
                            ask_notification(db, uid, filler)

    def _pages(self, level: str) -> Iterator[list[dict[str, Any]]]:
        since = 0
        while page := self.archive.page(level, since):
            since += len(page)
            yield page

    def _is_missing(self, db: sqlite3.Connection, series: dict[str, Any], target: str) -> bool:
        """Whether a target lacks objects of a series, and nobody has to decide on that."""
        item = item_of(series["ID"], target)
        if any(trouble.item == item for trouble in troubles(db, SET_ASIDE, DROPPED)):
            return False
        return _sent(db, series["ID"], target) != len(series["Instances"])

    def follow(self) -> bool:
        """Take the next changes; return whether there were any."""
        changes, _ = self.archive.changes(self.store.cursor(CURSOR))
        for change in changes:
            self._take(change)
        if changes:
            with self.store.transaction() as db:
                set_cursor(db, CURSOR, changes[-1].number)
        return bool(changes)

    def _take(self, change: Change) -> None:
        try:
            if change.kind == "StableSeries":
                with self.store.transaction() as db:
                    for target in self.targets:
                        ask_transfer(db, change.resource, target)
            elif change.kind == "StableStudy":
                self._arrived(change.resource)
                self.reconciler.notice(change.resource)
        except NotFoundError:
            return  # gone before its turn
        except UnreachableError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a change brings, those after it have their turn
            with self.store.transaction() as db:
                set_aside(db, Queue.FOLLOW, item_of(change.kind, change.resource), error)
            tell_set_aside(WORK, error, worker="follow")

    def take_again(self) -> None:
        """Take the changes that were set aside and that somebody lets be tried again."""
        with self.store.transaction() as db:
            again = [trouble for trouble in troubles(db, WAITING) if trouble.queue == Queue.FOLLOW.value]
            for trouble in again:
                clear(db, Queue.FOLLOW, trouble.item)
        for trouble in again:
            kind, _, resource = trouble.item.partition(" ")
            self._take(Change(0, kind, "", resource))

    def _arrived(self, study: str) -> None:
        names = names_of(self.archive, study)
        with self.store.transaction() as db:
            db.execute(
                "UPDATE procedures SET images_at = ? WHERE study_uid = ? AND images_at IS NULL",
                (time.time(), names["study"]),
            )
            for filler in self.fillers:
                ask_notification(db, names["study"], filler)
            if rejected_of(db, names["study"]):  # one of them may have been on its way through a restamping
                ask_withdrawal(db, names["study"])
        instances = self.archive.instances_of(study)
        write_event(RECEIVE_IMAGES, ae_title=self.archive.sender_of(instances[0]) if instances else "", **names)


@dataclass(frozen=True)
class SeriesSender:
    """Sends one series after the other to one archive."""

    store: Store
    archive: OrthancClient
    target: str
    stopped: Callable[[], bool] = lambda: False

    def run_due(self) -> None:
        """Send what is due; what fails is tried again later."""
        with self.store.transaction() as db:
            due = db.execute(
                "SELECT * FROM transfers WHERE target = ? AND done < asked AND next_try <= ? AND "  # noqa: S608 - our own
                + excluded(Queue.SEND, "series || ' ' || target")
                + " ORDER BY next_try",
                (self.target, time.time()),
            ).fetchall()
        for row in due:
            if self.stopped():
                return
            names: Facts = {}
            try:
                names = names_of(self.archive, self.archive.resource("series", row["series"])["ParentStudy"])
                sent = self._send(row["series"], names)
            except NotFoundError:
                with self.store.transaction() as db:
                    db.execute("DELETE FROM transfers WHERE series = ? AND target = ?", (row["series"], self.target))
            except Exception as error:  # noqa: BLE001 - what one series meets must not stop the others
                # The target may be away altogether: the next turn tries the next series, and this one later.
                self._postpone(row, error, names)
                return
            else:
                self._done(row, sent, names)

    def _send(self, series: str, names: Facts) -> int:
        """Send what the target has not taken of a series, a part at a time; return how many instances that were."""
        missing = self._missing(series)
        if missing:
            write_event(BEGIN_TRANSFER, peer=self.target, **names, series=series, instances=len(missing))
        for start in range(0, len(missing), PART):
            part = missing[start : start + PART]
            self._send_part(series, part)
            with self.store.transaction() as db:
                db.executemany(
                    "INSERT OR IGNORE INTO sent (series, target, instance) VALUES (?, ?, ?)",
                    [(series, self.target, instance) for instance in part],
                )
        return len(missing)

    def _missing(self, series: str) -> list[str]:
        """Return the instances of a series that the target has not taken; those that are gone are forgotten."""
        present = self.archive.resource("series", series)["Instances"]
        with self.store.transaction() as db:
            db.execute(
                "DELETE FROM sent WHERE series = ? AND target = ? AND instance NOT IN (SELECT value FROM json_each(?))",
                (series, self.target, json.dumps(present)),
            )
            taken = _taken(db, series, self.target)
        return [instance for instance in present if instance not in taken]

    def _send_part(self, series: str, instances: list[str]) -> None:
        job = self.archive.send(self.target, instances)
        deadline = Deadline(JOB_SECONDS)
        while (state := self.archive.job(job))["State"] in {"Pending", "Running", "Retry", "Paused"}:
            if deadline.over or self.stopped():
                raise NoAnswerError(f"job {job} is not done", remedy="It is asked for again.")
            time.sleep(POLL_SECONDS)
        content = state["Content"]
        if state["State"] != "Success" or content["FailedInstancesCount"]:
            raise RefusedError(
                f"{self.target} did not take series {series}: {state['ErrorDescription']} {state['ErrorDetails']}",
                remedy="Look at the health of the target and of the DICOM edge between.",
            )

    def _done(self, row: sqlite3.Row, instances: int, names: Facts) -> None:
        with self.store.transaction() as db:
            clear(db, Queue.SEND, item_of(row["series"], self.target))
            db.execute(
                "UPDATE transfers SET done = ?, instances = ?, attempts = 0, error = NULL, sent_at = ?"
                " WHERE series = ? AND target = ?",
                (
                    row["asked"],
                    len(_taken(db, row["series"], self.target)),
                    time.time(),
                    row["series"],
                    self.target,
                ),
            )
        if instances:
            write_event(FORWARD, peer=self.target, **names, series=row["series"], instances=instances)

    def _postpone(self, row: sqlite3.Row, error: Exception, names: Facts) -> None:
        attempts = row["attempts"] + 1
        facts: Facts = {"peer": self.target, **names, "series": row["series"], "attempts": attempts}
        aside = False
        if self._is_there():
            with self.store.transaction() as db:
                aside = count_error(db, Queue.SEND, item_of(row["series"], self.target), error)
        if aside:
            tell_set_aside(FORWARD, error, **facts)
        else:
            write_failure(FORWARD, error, waiting=True, **facts)
        with self.store.transaction() as db:
            db.execute(
                "UPDATE transfers SET attempts = ?, next_try = ?, error = ? WHERE series = ? AND target = ?",
                (attempts, time.time() + pause(attempts), text_of(error), row["series"], self.target),
            )

    def _is_there(self) -> bool:
        """Whether the target answers, so that it is the series' fault that it was not taken."""
        try:
            return self.archive.echo(self.target)
        except SimulatorError:
            return False


def _told(db: sqlite3.Connection, study: str, filler: str) -> int:
    """Return how many objects of a study an order filler was told of, or will be; -1 when of none."""
    row = db.execute("SELECT instances FROM notifications WHERE study = ? AND target = ?", (study, filler)).fetchone()
    return -1 if row is None else int(row["instances"])


def names_of(archive: OrthancClient, study: str) -> Facts:
    """Return what identifies a study in an event: its patient, accession number and UID, as far as it has them."""
    resource = archive.resource("studies", study)
    tags = {**(resource["PatientMainDicomTags"] or {}), **resource["MainDicomTags"]}
    keywords = (("patient", "PatientID"), ("accession", "AccessionNumber"), ("study", "StudyInstanceUID"))
    return {name: tags[keyword] for name, keyword in keywords if tags.get(keyword)}


def _taken(db: sqlite3.Connection, series: str, target: str) -> set[str]:
    """Return the instances of a series that a target has taken."""
    rows = db.execute("SELECT instance FROM sent WHERE series = ? AND target = ?", (series, target)).fetchall()
    return {row["instance"] for row in rows}


def _sent(db: sqlite3.Connection, series: str, target: str) -> int:
    """Return how many instances a target has taken of a series; -1 when none was ever sent."""
    row = db.execute("SELECT instances FROM transfers WHERE series = ? AND target = ?", (series, target)).fetchone()
    return -1 if row is None else int(row["instances"])
