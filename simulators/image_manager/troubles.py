"""Work that fails: set aside item by item after bounded tries, so that the rest goes on, and decided on by people."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from simulators.errors import ArgumentError, NotFoundError, UnreachableError
from simulators.events import reasons
from simulators.events.report import write_event

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from simulators.events.vocabulary import Action

MOST_ERRORS = 6
"""Attempts that fail for what the item is; one that fails because the archive or the target is away does not count."""

WAITING, SET_ASIDE, DROPPED = "waiting", "set aside", "dropped"

TROUBLES_SCHEMA = """
CREATE TABLE IF NOT EXISTS troubles (
    id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, item TEXT NOT NULL, errors INTEGER NOT NULL DEFAULT 0,
    state TEXT NOT NULL, error TEXT NOT NULL, since REAL NOT NULL, UNIQUE (queue, item));
"""


class Queue(Enum):
    """What can fail item by item; the value is its name for people."""

    RESTAMP = "restamp"
    """A patient's objects, by identifier and authority."""
    RECOVER = "recover"
    """A file of the spool, by its name."""
    SEND = "send"
    """A series to an archive, by series and target."""
    FOLLOW = "follow"
    """An entry of the archive's change log, by kind and resource."""
    NOTIFY = "notify"
    """A study that an order filler is told of, by UID and order filler."""
    WITHDRAW = "withdraw"
    """A study whose images go into quarantine, by its UID."""


@dataclass(frozen=True)
class Trouble:
    """An item that failed, and how far that has come."""

    id: int
    queue: str
    item: str
    errors: int
    state: str
    error: str
    since: float


def item_of(*names: str) -> str:
    """Return the item that names identify; a space is in none of them."""
    return " ".join(names)


def excluded(queue: Queue, item: str) -> str:
    """Return a condition of SQL that leaves out what is set aside or dropped; `item` is the expression for its name."""
    return (
        f"NOT EXISTS (SELECT 1 FROM troubles WHERE queue = '{queue.value}' AND item = {item}"  # noqa: S608 - our own words
        f" AND state != '{WAITING}')"
    )


def count_error(db: sqlite3.Connection, queue: Queue, item: str, error: Exception) -> bool:
    """Count a failed attempt; return whether the item is set aside by it.

    An archive that is away is no fault of the item. Whatever else fails, foreseen or not, counts.
    """
    if isinstance(error, UnreachableError):
        return False
    db.execute(
        "INSERT INTO troubles (queue, item, errors, state, error, since) VALUES (?, ?, 1, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET errors = errors + 1, error = excluded.error",
        (queue.value, item, WAITING, text_of(error), time.time()),
    )
    errors = db.execute("SELECT errors FROM troubles WHERE queue = ? AND item = ?", (queue.value, item)).fetchone()[0]
    if errors < MOST_ERRORS:
        return False
    db.execute("UPDATE troubles SET state = ? WHERE queue = ? AND item = ?", (SET_ASIDE, queue.value, item))
    return True


def set_aside(db: sqlite3.Connection, queue: Queue, item: str, error: Exception) -> None:
    """Set an item aside at once: trying it again would hold up what comes after it."""
    db.execute(
        "INSERT INTO troubles (queue, item, errors, state, error, since) VALUES (?, ?, 1, ?, ?, ?)"
        " ON CONFLICT DO UPDATE SET errors = errors + 1, state = excluded.state, error = excluded.error",
        (queue.value, item, SET_ASIDE, text_of(error), time.time()),
    )


def clear(db: sqlite3.Connection, queue: Queue, item: str) -> None:
    """Forget what failed: the item is done, or is asked for again."""
    db.execute("DELETE FROM troubles WHERE queue = ? AND item = ?", (queue.value, item))


def troubles(db: sqlite3.Connection, *states: str) -> list[Trouble]:
    """Return what has failed, oldest first: in these states, or in any."""
    rows = db.execute("SELECT * FROM troubles ORDER BY id").fetchall()
    return [Trouble(**dict(row)) for row in rows if not states or row["state"] in states]


def decide(db: sqlite3.Connection, number: int, *, again: bool) -> Trouble:
    """Let an item that is set aside be tried again, or drop it; return it as it was.

    What is dropped stays known, so that nothing takes it up by itself; the files of the spool stay where they are.

    Raises:
        NotFoundError: there is no such item.
        ArgumentError: it is not set aside, nor dropped.
    """
    found = next((trouble for trouble in troubles(db) if trouble.id == number), None)
    if found is None:
        raise NotFoundError(f"nothing that failed has number {number}", remedy="`set-aside` lists what there is.")
    if found.state == WAITING:
        raise ArgumentError(f"{found.item} is still tried", remedy="Only what was set aside is decided on.")
    db.execute("UPDATE troubles SET state = ?, errors = 0 WHERE id = ?", (WAITING if again else DROPPED, number))
    if again:
        db.execute("UPDATE work SET next_try = 0 WHERE identifier || ' ' || authority = ?", (found.item,))
        db.execute("UPDATE transfers SET next_try = 0 WHERE series || ' ' || target = ?", (found.item,))
        db.execute("UPDATE notifications SET next_try = 0 WHERE study || ' ' || target = ?", (found.item,))
    return found


def tell_set_aside(action: Action, error: Exception, **facts: Any) -> None:
    """Write that an item is set aside."""
    write_event(action, reason=reasons.SET_ASIDE, error=type(error).__name__, **facts)


def publish(folder: Path, db: sqlite3.Connection) -> None:
    """Write what is set aside into the file that the health probe reads; empty while there is nothing."""
    aside = troubles(db, SET_ASIDE)
    text = "".join(f"{trouble.id}: {trouble.queue} {trouble.item}: {trouble.error}\n" for trouble in aside)
    if aside:
        text += f"set aside: {len(aside)}; see `pacslab-image-manager set-aside`\n"
    path = folder / "set-aside"
    if not path.exists() or path.read_text("utf-8") != text:
        draft = path.with_suffix(".new")
        draft.write_text(text, "utf-8")
        draft.chmod(0o644)
        draft.replace(path)


def text_of(error: Exception) -> str:
    """Return an error without what it may quote of a patient: the text of one that is foreseen, the class of others."""
    message = getattr(error, "message", "")
    return str(message or type(error).__name__)[:200]
