"""What the image manager must not forget: its SQLite database, and who a patient is by now."""

from __future__ import annotations

import sqlite3
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.hl7content import Patient
from simulators.image_manager.troubles import TROUBLES_SCHEMA, Queue, clear, item_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    sender TEXT NOT NULL, control_id TEXT NOT NULL, type TEXT NOT NULL, body TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (sender, control_id));
CREATE INDEX IF NOT EXISTS messages_at ON messages (at);
CREATE TABLE IF NOT EXISTS patients (
    identifier TEXT NOT NULL, authority TEXT NOT NULL, family TEXT NOT NULL, given TEXT NOT NULL,
    birth_date TEXT NOT NULL, sex TEXT NOT NULL, source TEXT NOT NULL, changed REAL NOT NULL,
    PRIMARY KEY (identifier, authority));
CREATE TABLE IF NOT EXISTS merges (
    prior TEXT NOT NULL, authority TEXT NOT NULL, surviving TEXT NOT NULL, source TEXT NOT NULL, changed REAL NOT NULL,
    PRIMARY KEY (prior, authority));
CREATE TABLE IF NOT EXISTS work (
    identifier TEXT NOT NULL, authority TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 1,
    attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL, error TEXT,
    PRIMARY KEY (identifier, authority));
CREATE TABLE IF NOT EXISTS procedures (
    accession TEXT PRIMARY KEY, placer TEXT NOT NULL, filler TEXT NOT NULL, procedure_id TEXT NOT NULL,
    step_id TEXT NOT NULL, study_uid TEXT NOT NULL, patient TEXT NOT NULL, modality TEXT NOT NULL, code TEXT NOT NULL,
    description TEXT NOT NULL, state TEXT NOT NULL, changed REAL NOT NULL, images_at REAL);
CREATE INDEX IF NOT EXISTS procedures_study ON procedures (study_uid);
CREATE TABLE IF NOT EXISTS held (
    id INTEGER PRIMARY KEY AUTOINCREMENT, instance TEXT NOT NULL, series TEXT NOT NULL, study TEXT NOT NULL,
    patient TEXT NOT NULL, accession TEXT NOT NULL, ae_title TEXT NOT NULL, reason TEXT NOT NULL, file TEXT NOT NULL,
    at REAL NOT NULL, state TEXT NOT NULL, settled REAL);
CREATE UNIQUE INDEX IF NOT EXISTS held_instance ON held (instance) WHERE state = 'held';
CREATE TABLE IF NOT EXISTS withdrawals (study TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS rejected (
    instance TEXT PRIMARY KEY, series TEXT NOT NULL, study TEXT NOT NULL, sop_class TEXT NOT NULL, title TEXT NOT NULL,
    note TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS rejected_study ON rejected (study);
CREATE TABLE IF NOT EXISTS cursors (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS sent (
    series TEXT NOT NULL, target TEXT NOT NULL, instance TEXT NOT NULL, PRIMARY KEY (series, target, instance));
CREATE TABLE IF NOT EXISTS transfers (
    series TEXT NOT NULL, target TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 1, done INTEGER NOT NULL DEFAULT 0,
    instances INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL, sent_at REAL,
    error TEXT, PRIMARY KEY (series, target));
CREATE TABLE IF NOT EXISTS notifications (
    study TEXT NOT NULL, target TEXT NOT NULL, asked INTEGER NOT NULL DEFAULT 1, done INTEGER NOT NULL DEFAULT 0,
    drafted INTEGER NOT NULL DEFAULT 0, uid TEXT NOT NULL DEFAULT '', content TEXT NOT NULL DEFAULT '',
    instances INTEGER NOT NULL DEFAULT -1, attempts INTEGER NOT NULL DEFAULT 0, next_try REAL NOT NULL, told_at REAL,
    error TEXT, PRIMARY KEY (study, target));
"""
"""``asked`` counts requests: one that comes while work is under way is not lost, since the work ends with its count.

``sent`` has what an archive has taken, so that of a series that grows only what is missing is sent. ``drafted`` is the
count of requests that ``content`` answers, which is kept under its ``uid`` until the order filler has taken it.
"""

_LONGEST_PAUSE = 60.0


@dataclass(frozen=True)
class Identity:
    """Who the images of an identifier belong to by now; ``source`` is the message that said so."""

    patient: Patient
    source: str


class Store:
    """The database; every transaction has a connection of its own, so threads share nothing."""

    def __init__(self, folder: Path) -> None:
        """Open or make the database below `folder`."""
        self._path = folder / "image-manager.sqlite"
        with self.transaction() as db:
            db.executescript(SCHEMA + TROUBLES_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give a connection whose work is on disk at the end of the block, or undone when it raises."""
        db = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        try:
            db.row_factory = sqlite3.Row
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power failure
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.rollback()
                raise
            db.commit()
        finally:
            db.close()

    def identity(self, identifier: str, authority: str) -> Identity | None:
        """Return who an identifier means by now, after merges; None when no message has told."""
        with self.transaction() as db:
            merge = db.execute(
                "SELECT surviving, source FROM merges WHERE prior = ? AND authority = ?", (identifier, authority)
            ).fetchone()
            row = db.execute(
                "SELECT * FROM patients WHERE identifier = ? AND authority = ?",
                (merge["surviving"] if merge else identifier, authority),
            ).fetchone()
        if row is None:
            return None
        patient = Patient(
            row["identifier"], row["authority"], row["family"], row["given"], row["birth_date"], row["sex"]
        )
        return Identity(patient, merge["source"] if merge else row["source"])

    def authorities(self, identifier: str) -> list[str]:
        """Return the assigning authorities under which messages have spoken of an identifier."""
        with self.transaction() as db:
            rows = db.execute(
                "SELECT authority FROM patients WHERE identifier = ?1"
                " UNION SELECT authority FROM merges WHERE prior = ?1",
                (identifier,),
            ).fetchall()
        return [row["authority"] for row in rows]

    def cursor(self, name: str) -> int:
        """Return how far a sequence has been followed; 0 at first."""
        with self.transaction() as db:
            row = db.execute("SELECT value FROM cursors WHERE name = ?", (name,)).fetchone()
        return int(row["value"]) if row else 0


def ask_work(db: sqlite3.Connection, identifier: str, authority: str) -> None:
    """Ask that the images of an identifier be compared with what is known of the patient, also when that failed."""
    _ask(db, Queue.RESTAMP, "work", identifier=identifier, authority=authority)


def ask_transfer(db: sqlite3.Connection, series: str, target: str) -> None:
    """Ask that a series be sent to an archive, also when that failed."""
    _ask(db, Queue.SEND, "transfers", series=series, target=target)


def ask_notification(db: sqlite3.Connection, study: str, target: str) -> None:
    """Ask that an order filler be told of a study, also when that failed."""
    _ask(db, Queue.NOTIFY, "notifications", study=study, target=target)


def _ask(db: sqlite3.Connection, queue: Queue, table: str, **item: str) -> None:
    """Put an item into the table of a queue, to be tried at once, whatever became of it before."""
    clear(db, queue, item_of(*item.values()))
    db.execute(
        f"INSERT INTO {table} ({', '.join(item)}, next_try) VALUES (?, ?, ?) ON CONFLICT DO UPDATE"  # noqa: S608 # names of ours
        " SET asked = asked + 1, attempts = 0, next_try = excluded.next_try",
        (*item.values(), time.time()),
    )


def set_cursor(db: sqlite3.Connection, name: str, value: int) -> None:
    """Remember how far a sequence has been followed."""
    db.execute(
        "INSERT INTO cursors (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (name, value),
    )


def pause(attempts: int) -> float:
    """Return the seconds to wait after so many failed attempts: doubling from 1 s to a minute."""
    return min(_LONGEST_PAUSE, float(2 ** min(attempts, 10)))
