"""The modality's own store: procedure steps, images and commitments that are not finished, in SQLite beside the files.

An image is ``acquired`` until the archive took it, then ``stored``, and ``committed`` when the archive has answered for
it; only then is its file deleted. Commands and the service share the spool; SQLite serialises them.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.errors import NotFoundError, NotReadyError
from simulators.imaging.frame import new_uid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydicom.dataset import FileDataset

SPOOL = Path("/var/lib/pacslab/modality")

ACQUIRED, STORED, COMMITTED, SET_ASIDE = "acquired", "stored", "committed", "set aside"
WAITING, DROPPED = "waiting", "dropped"
MOST_REFUSALS = 6
"""Answers of a peer that say no to what it is told, and not to the moment, after which that is set aside."""
END, COMMIT = "end", "commit"
"""What of a step a peer may refuse for good: its end (N-SET), and the request for storage commitment (N-ACTION)."""
ASKED, ANSWERED, REFUSED = "asked", "answered", "refused"
"""Whether the RIS knows of a step: N-CREATE is under way or its answer was lost; it was accepted; it was refused."""
IN_PROGRESS, COMPLETED, DISCONTINUED = "IN PROGRESS", "COMPLETED", "DISCONTINUED"

LONGEST_PAUSE = 300.0
"""Seconds; attempts at delivery are 1, 2, 4, ... seconds apart, and never further than this."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS steps (
    uid TEXT PRIMARY KEY, accession TEXT NOT NULL, step_id TEXT NOT NULL, worklist_item TEXT NOT NULL,
    started REAL NOT NULL, status TEXT NOT NULL, reported INTEGER NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '',
    commit_wanted INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS instances (
    uid TEXT PRIMARY KEY, step TEXT NOT NULL REFERENCES steps (uid), sop_class TEXT NOT NULL, syntax TEXT NOT NULL,
    series TEXT NOT NULL, series_description TEXT NOT NULL, bytes INTEGER NOT NULL, state TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS transactions (
    uid TEXT PRIMARY KEY, step TEXT NOT NULL REFERENCES steps (uid), peer TEXT NOT NULL, requested REAL NOT NULL,
    state TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS promises (
    transaction_uid TEXT NOT NULL REFERENCES transactions (uid), instance TEXT NOT NULL REFERENCES instances (uid),
    PRIMARY KEY (transaction_uid, instance));
CREATE TABLE IF NOT EXISTS refusals (
    step TEXT NOT NULL REFERENCES steps (uid), what TEXT NOT NULL, times INTEGER NOT NULL, state TEXT NOT NULL,
    error TEXT NOT NULL, PRIMARY KEY (step, what));
"""


_LATER_COLUMNS = {
    "steps": {"begun": f"TEXT NOT NULL DEFAULT '{ANSWERED}'", "ended": "REAL NOT NULL DEFAULT 0"},
    "transactions": {"report": "TEXT NOT NULL DEFAULT ''"},
    "instances": {"refusals": "INTEGER NOT NULL DEFAULT 0"},
}
"""Columns that a spool of an earlier version lacks."""


@dataclass(frozen=True)
class PerformedStep:
    """A Modality Performed Procedure Step of this modality."""

    uid: str
    accession: str
    step_id: str
    worklist_item: str
    started: float
    status: str
    reported: bool
    """The RIS knows the status."""
    reason: str
    commit_wanted: bool
    begun: str = ANSWERED
    """How N-CREATE went."""
    ended: float = 0.0
    """When the final status was set, in seconds since 1970; the RIS is told this moment, however often it is told."""

    @property
    def study(self) -> str:
        """Study Instance UID of the worklist item (DICOM JSON, PS3.18 F.2)."""
        uid: str = json.loads(self.worklist_item)["0020000D"]["Value"][0]
        return uid


@dataclass(frozen=True)
class Instance:
    """One image and how far its delivery is."""

    uid: str
    step: str
    sop_class: str
    syntax: str
    series: str
    series_description: str
    bytes: int
    state: str
    attempts: int
    due: float
    error: str


@dataclass(frozen=True)
class Refusal:
    """Something of a step that a peer refuses; ``state`` is waiting (tried again), set aside or dropped."""

    step: str
    what: str
    times: int
    state: str
    error: str


@dataclass(frozen=True)
class Transaction:
    """A storage commitment request (PS3.4 J.3.2).

    ``state`` is requested, unanswered (whether the archive took the request is not known), refused, committed or
    failed; ``report`` is a digest of the archive's report that made it so.
    """

    uid: str
    step: str
    peer: str
    requested: float
    state: str
    report: str = ""

    @property
    def open(self) -> bool:
        """The archive may still report."""
        return self.state in {"requested", "unanswered"}


class Spool:
    """The folder with the images and the database of their states."""

    def __init__(self, folder: Path = SPOOL) -> None:
        """Open the spool, making what it lacks.

        Raises:
            NotReadyError: the folder is missing or not writable.
        """
        self.folder = folder
        self._images = folder / "images"
        try:
            self._images.mkdir(exist_ok=True)
            with self._database() as database:
                database.executescript(_SCHEMA)
                _add_later_columns(database)
        except (OSError, sqlite3.Error) as error:
            raise NotReadyError(
                f"The spool {folder} cannot be used: {error}", remedy="Run the command on a modality, as root."
            ) from error

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self.folder / "spool.sqlite", timeout=30.0)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA foreign_keys = ON")
            with database:
                yield database
        finally:
            database.close()

    @contextmanager
    def delivering(self, *, wait: bool) -> Iterator[bool]:
        """Be the only process that sends; without ``wait``, yields False when another one is at it."""
        with (self.folder / "deliver.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True

    def path(self, uid: str) -> Path:
        """Where the file of an image is; the UID is one this modality made itself."""
        return self._images / f"{uid}.dcm"

    # --- steps --------------------------------------------------------------------------------

    def add_step(self, step: PerformedStep) -> None:
        """Remember a step before the RIS is told of it: the answer may be lost."""
        with self._database() as database:
            database.execute(
                "INSERT INTO steps (uid, accession, step_id, worklist_item, started, status, reported, reason,"
                " commit_wanted, begun) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    step.uid,
                    step.accession,
                    step.step_id,
                    step.worklist_item,
                    step.started,
                    step.status,
                    step.reported,
                    step.reason,
                    step.commit_wanted,
                    step.begun,
                ),
            )

    def mark_begun(self, uid: str, begun: str) -> None:
        """Remember how N-CREATE went."""
        with self._database() as database:
            database.execute("UPDATE steps SET begun = ? WHERE uid = ?", (begun, uid))

    def forget_step(self, uid: str) -> None:
        """Forget a step that never was: the RIS does not know it, and nothing was made in it."""
        with self._database() as database:
            database.execute("DELETE FROM steps WHERE uid = ?", (uid,))

    def steps(self) -> list[PerformedStep]:
        """All steps, oldest first."""
        with self._database() as database:
            rows = database.execute(
                "SELECT uid, accession, step_id, worklist_item, started, status, reported, reason, commit_wanted,"
                " begun, ended FROM steps ORDER BY started"
            ).fetchall()
        found = [PerformedStep(*row) for row in rows]
        return [
            replace(instance, reported=bool(instance.reported), commit_wanted=bool(instance.commit_wanted))
            for instance in found
        ]

    def end_step(self, uid: str, status: str, reason: str, ended: float) -> None:
        """Set the final status, reached at `ended`; the RIS has yet to be told."""
        with self._database() as database:
            database.execute(
                "UPDATE steps SET status = ?, reason = ?, reported = 0, ended = ? WHERE uid = ?",
                (status, reason, ended, uid),
            )

    def mark_reported(self, uid: str) -> None:
        """The RIS knows the step's status."""
        with self._database() as database:
            database.execute("UPDATE steps SET reported = 1 WHERE uid = ?", (uid,))

    def want_commitment(self, uid: str) -> None:
        """Ask for storage commitment as soon as the step's images are stored."""
        with self._database() as database:
            database.execute("UPDATE steps SET commit_wanted = 1 WHERE uid = ?", (uid,))

    def refuse(self, step: str, what: str, error: str) -> bool:
        """Note that a peer does not take something of a step as it is; tell whether that is set aside by now.

        What is set aside is told no more until somebody decides.
        """
        with self._database() as database:
            database.execute(
                "INSERT INTO refusals (step, what, times, state, error) VALUES (?, ?, 1, ?, ?) ON CONFLICT DO UPDATE"
                " SET times = times + 1, error = excluded.error",
                (step, what, WAITING, error),
            )
            aside = database.execute(
                "UPDATE refusals SET state = ? WHERE step = ? AND what = ? AND state = ? AND times >= ?",
                (SET_ASIDE, step, what, WAITING, MOST_REFUSALS),
            )
        return bool(aside.rowcount)

    def accepted(self, step: str, what: str) -> None:
        """The peer has taken it after all."""
        with self._database() as database:
            database.execute("DELETE FROM refusals WHERE step = ? AND what = ?", (step, what))

    def refusals(self, *states: str) -> list[Refusal]:
        """What peers have refused, oldest first: in these states, or in any."""
        with self._database() as database:
            rows = database.execute("SELECT step, what, times, state, error FROM refusals ORDER BY rowid").fetchall()
        return [refusal for refusal in (Refusal(*row) for row in rows) if not states or refusal.state in states]

    # --- images -------------------------------------------------------------------------------

    def add_image(self, step: str, image: FileDataset) -> None:
        """Write an image's file, then remember it."""
        path = self.path(image.SOPInstanceUID)
        image.save_as(path, enforce_file_format=True)
        with self._database() as database:
            database.execute(
                "INSERT INTO instances (uid, step, sop_class, syntax, series, series_description, bytes, state)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    image.SOPInstanceUID,
                    step,
                    image.SOPClassUID,
                    image.file_meta.TransferSyntaxUID,
                    image.SeriesInstanceUID,
                    str(image.get("SeriesDescription") or ""),
                    path.stat().st_size,
                    ACQUIRED,
                ),
            )

    def instances(
        self, step: str | None = None, states: Sequence[str] = (ACQUIRED, STORED, COMMITTED, SET_ASIDE)
    ) -> list[Instance]:
        """Images in the order they were acquired."""
        with self._database() as database:
            rows = database.execute(
                "SELECT uid, step, sop_class, syntax, series, series_description, bytes, state, attempts, due, error"
                " FROM instances WHERE state IN (SELECT value FROM json_each(?)) AND (? IS NULL OR step = ?)"
                " ORDER BY rowid",
                (json.dumps(states), step, step),
            ).fetchall()
        return [Instance(*row) for row in rows]

    def mark_stored(self, uid: str) -> None:
        """The archive answered C-STORE with success or a warning."""
        self._set(uid, STORED, 0, 0.0, "")

    def mark_failed(self, instance: Instance, error: str) -> None:
        """A C-STORE did not succeed: try again later, ever less often."""
        pause = min(2.0**instance.attempts, LONGEST_PAUSE)
        self._set(instance.uid, ACQUIRED, instance.attempts + 1, time.time() + pause, error)

    def mark_refused(self, instance: Instance, error: str) -> bool:
        """The archive does not take the image as it is: try again, but not for ever; tell whether it is set aside.

        An image that is set aside is kept until somebody decides.
        """
        self.mark_failed(instance, error)
        with self._database() as database:
            database.execute("UPDATE instances SET refusals = refusals + 1 WHERE uid = ?", (instance.uid,))
            aside = database.execute(
                "UPDATE instances SET state = ? WHERE uid = ? AND state = ? AND refusals >= ?",
                (SET_ASIDE, instance.uid, ACQUIRED, MOST_REFUSALS),
            )
        return bool(aside.rowcount)

    def retry(self, uid: str) -> None:
        """Let an image that is set aside be sent again, or what is set aside of a step.

        Raises:
            NotFoundError: no such image is set aside, nor anything of such a step.
        """
        self._decide(
            uid,
            "UPDATE instances SET state = 'acquired', refusals = 0, due = 0 WHERE uid = ? AND state = ?",
            "DELETE FROM refusals WHERE step = ? AND state = ?",
        )

    def drop(self, uid: str) -> None:
        """Give an image up that is set aside, whose file is deleted, or what is set aside of a step.

        Raises:
            NotFoundError: no such image is set aside, nor anything of such a step.
        """
        self._decide(
            uid,
            "UPDATE instances SET state = 'dropped' WHERE uid = ? AND state = ?",
            "UPDATE refusals SET state = 'dropped' WHERE step = ? AND state = ?",
        )
        self.path(uid).unlink(missing_ok=True)

    def _decide(self, uid: str, *changes: str) -> None:
        with self._database() as database:
            if not sum(database.execute(change, (uid, SET_ASIDE)).rowcount for change in changes):
                raise NotFoundError(f"no image {uid}, and nothing of such a step, is set aside", remedy="See `queue`.")

    def _set(self, uid: str, state: str, attempts: int, due: float, error: str) -> None:
        with self._database() as database:
            database.execute(
                "UPDATE instances SET state = ?, attempts = ?, due = ?, error = ? WHERE uid = ? AND state != ?",
                (state, attempts, due, error, uid, COMMITTED),
            )

    # --- commitments --------------------------------------------------------------------------

    def begin_transaction(self, step: str, peer: str, instances: Iterable[Instance]) -> Transaction:
        """Write down a request before it is sent: the answer may be quicker than the acknowledgement."""
        transaction = Transaction(new_uid(), step, peer, time.time(), "requested")
        with self._database() as database:
            database.execute(
                "INSERT INTO transactions (uid, step, peer, requested, state) VALUES (?, ?, ?, ?, ?)",
                (transaction.uid, step, peer, transaction.requested, transaction.state),
            )
            database.executemany(
                "INSERT INTO promises (transaction_uid, instance) VALUES (?, ?)",
                [(transaction.uid, instance.uid) for instance in instances],
            )
        return transaction

    def transactions(self, step: str | None = None) -> list[Transaction]:
        """All storage commitment requests, oldest first."""
        with self._database() as database:
            rows = database.execute(
                "SELECT uid, step, peer, requested, state, report FROM transactions ORDER BY requested"
            ).fetchall()
        return [
            transaction
            for transaction in (Transaction(*row) for row in rows)
            if step is None or transaction.step == step
        ]

    def promised(self, transaction: str) -> set[str]:
        """The images that a request named."""
        with self._database() as database:
            rows = database.execute(
                "SELECT instance FROM promises WHERE transaction_uid = ?", (transaction,)
            ).fetchall()
        return {row[0] for row in rows}

    def doubt_transaction(self, uid: str, state: str) -> None:
        """Note that a request was not answered, or refused, unless the archive has reported meanwhile."""
        with self._database() as database:
            database.execute("UPDATE transactions SET state = ? WHERE uid = ? AND state = 'requested'", (state, uid))

    def end_transaction(
        self, uid: str, state: str, committed: Iterable[str], failed: Iterable[tuple[str, str]], report: str = ""
    ) -> None:
        """Apply an answer: delete the files of what is committed, send again what failed, with its reason."""
        safe = list(committed)
        with self._database() as database:
            database.execute("UPDATE transactions SET state = ?, report = ? WHERE uid = ?", (state, report, uid))
            database.executemany(
                "UPDATE instances SET state = ?, error = '' WHERE uid = ?", [(COMMITTED, instance) for instance in safe]
            )
            database.executemany(
                "UPDATE instances SET state = ?, due = 0, attempts = attempts + 1, error = ?"
                " WHERE uid = ? AND state != ?",
                [(ACQUIRED, reason, instance, COMMITTED) for instance, reason in failed],
            )
        # Only after the database knows: a crash in between leaves a file too many, never one too few.
        for instance in safe:
            self.path(instance).unlink(missing_ok=True)


def _add_later_columns(database: sqlite3.Connection) -> None:
    for table, columns in _LATER_COLUMNS.items():
        present = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        for name in columns.keys() - present:
            database.execute(f"ALTER TABLE {table} ADD COLUMN {name} {columns[name]}")
