"""Rejections: what somebody asks for, what somebody else decides, and which archives have taken the note (RAD-66)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from simulators.database import one
from simulators.errors import ArgumentError, NotFoundError
from simulators.ris.availability import RETRIEVABLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simulators.database import Cursor

ASKED, REFUSED, GRANTED, DONE = "asked", "refused", "granted", "done"
"""How far a rejection has come; it is done when every archive has taken the note."""
WAITING, TAKEN = "waiting", "taken"
"""Of a note that goes to an archive."""
LONGEST_PAUSE = 60
"""Seconds between two attempts at most."""


def images_of(cursor: Cursor, study: str, series: Sequence[str], instances: Sequence[str]) -> list[dict[str, Any]]:
    """Return the objects of a study that some archive has: those of these series and with these UIDs, or all.

    Raises:
        NotFoundError: no archive has any, or one that is named is not among them.
    """
    cursor.execute(
        "SELECT DISTINCT sop_instance_uid AS instance, sop_class_uid AS sop_class, series_uid AS series FROM instances"
        " WHERE study_uid = %s AND availability = ANY(%s) ORDER BY series_uid, sop_instance_uid",
        (study, sorted(RETRIEVABLE)),
    )
    known = cursor.fetchall()
    unknown = {*series} - {row["series"] for row in known} | {*instances} - {row["instance"] for row in known}
    if unknown:
        raise NotFoundError(
            f"no archive has {min(unknown)} of this study", remedy="Leave it out, or look with a workstation's query."
        )
    wanted = [row for row in known if row["series"] in series or row["instance"] in instances]
    found = wanted if series or instances else known
    if not found:
        raise NotFoundError("no archive has images of it", remedy="`pacslab-ris show` says what archives have.")
    return found


def ask(cursor: Cursor, accession: str, person: str, *, title: str, issue: str, text: str, images: list[Any]) -> int:
    """Keep what somebody asks for, and return its number.

    Raises:
        ArgumentError: nobody has decided on an earlier one.
    """
    cursor.execute("SELECT id FROM rejections WHERE accession = %s AND state = %s", (accession, ASKED))
    earlier = cursor.fetchone()
    if earlier is not None:
        raise ArgumentError(
            f"rejection {earlier['id']} of {accession} is not decided yet",
            remedy="Have somebody authorise or refuse it first.",
        )
    cursor.execute(
        "INSERT INTO rejections (accession, title, issue, text, instances, state, asked_by)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING id",
        (accession, title, issue, text, Jsonb(images), ASKED, person),
    )
    return int(one(cursor)["id"])


def accession_of(cursor: Cursor, number: int) -> str:
    """Return the accession number that a rejection is about.

    Raises:
        NotFoundError: there is no such rejection.
    """
    cursor.execute("SELECT accession FROM rejections WHERE id = %s", (number,))
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError(f"there is no rejection {number}", remedy="`pacslab-ris rejections` lists them.")
    return str(row["accession"])


def undecided(cursor: Cursor, number: int) -> dict[str, Any]:
    """Return a rejection that is to be decided on; nobody else decides meanwhile.

    Raises:
        ArgumentError: somebody has decided.
    """
    cursor.execute("SELECT * FROM rejections WHERE id = %s FOR UPDATE", (number,))
    row = one(cursor)
    if row["state"] != ASKED:
        raise ArgumentError(
            f"rejection {number} was {row['state']} by {row['decided_by']}",
            remedy="`pacslab-ris rejections` says when.",
        )
    return row


def refuse(cursor: Cursor, number: int, person: str, why: str) -> None:
    """Note that somebody refuses it."""
    _decide(cursor, number, REFUSED, person, why)


def grant(cursor: Cursor, number: int, person: str, note: bytes, archives: Iterable[str]) -> None:
    """Note that somebody grants it, and what goes to which archives."""
    _decide(cursor, number, GRANTED, person, "")
    cursor.execute("UPDATE rejections SET note = %s WHERE id = %s", (note, number))
    cursor.executemany(
        "INSERT INTO rejection_notes (rejection, archive, state) VALUES (%s, %s, %s)",
        [(number, archive, WAITING) for archive in archives],
    )


def _decide(cursor: Cursor, number: int, state: str, person: str, why: str) -> None:
    cursor.execute(
        "UPDATE rejections SET state = %s, decided_by = %s, decided = now(), why = %s WHERE id = %s",
        (state, person, why, number),
    )


def holders(cursor: Cursor, study: str) -> set[str]:
    """Return the AE titles of the archives that have told of a study."""
    cursor.execute("SELECT DISTINCT ae_title FROM instances WHERE study_uid = %s", (study,))
    return {row["ae_title"] for row in cursor.fetchall()}


def due(cursor: Cursor, archive: str) -> dict[str, Any] | None:
    """Return the next note that an archive has not taken, with its rejection; nobody else sends it meanwhile."""
    cursor.execute(
        "SELECT rejection_notes.*, rejections.note, rejections.title, rejections.accession, rejections.decided_by,"
        " jsonb_array_length(rejections.instances) AS instances, procedures.study_uid, procedures.patient_id"
        " FROM rejection_notes JOIN rejections ON rejections.id = rejection JOIN procedures USING (accession)"
        " WHERE archive = %s AND rejection_notes.state = %s AND next_try <= clock_timestamp()"
        " ORDER BY next_try, rejection LIMIT 1 FOR UPDATE OF rejection_notes SKIP LOCKED",
        (archive, WAITING),
    )
    return cursor.fetchone()


def taken(cursor: Cursor, row: dict[str, Any]) -> None:
    """Note that an archive has taken a note."""
    cursor.execute(
        "UPDATE rejection_notes SET state = %s, attempts = attempts + 1, error = NULL, taken = clock_timestamp()"
        " WHERE rejection = %s AND archive = %s",
        (TAKEN, row["rejection"], row["archive"]),
    )


def postpone(cursor: Cursor, row: dict[str, Any], error: str) -> int:
    """Note that an archive has not taken a note; return the seconds until the next attempt."""
    pause: int = min(2 ** min(int(row["attempts"]), 8), LONGEST_PAUSE)
    cursor.execute(
        "UPDATE rejection_notes SET attempts = attempts + 1, error = %s,"
        " next_try = clock_timestamp() + make_interval(secs => %s) WHERE rejection = %s AND archive = %s",
        (error, pause, row["rejection"], row["archive"]),
    )
    return pause


def rejected_in(cursor: Cursor, accession: str) -> set[str]:
    """Return the objects of a procedure that are rejected."""
    cursor.execute("SELECT instances FROM rejections WHERE accession = %s AND state = %s", (accession, GRANTED))
    return {entry["instance"] for row in cursor.fetchall() for entry in row["instances"]}


def listed(cursor: Cursor, *, accession: str | None = None, number: int | None = None) -> list[dict[str, Any]]:
    """Return rejections as they are shown, the oldest first: all, those of a procedure, or one."""
    cursor.execute(
        "SELECT id, accession, patient_id, study_uid, title, issue, text, instances, rejections.state, asked_by, asked,"
        " decided_by, decided, why, coalesce((SELECT jsonb_agg("
        "  jsonb_build_object('archive', archive, 'state', told.state, 'attempts', attempts, 'error', error,"
        "  'taken', taken) ORDER BY archive)"
        "  FROM rejection_notes AS told WHERE told.rejection = rejections.id), '[]') AS archives"
        " FROM rejections JOIN procedures USING (accession)"
        " WHERE (%(accession)s::text IS NULL OR accession = %(accession)s) AND (%(id)s::bigint IS NULL OR id = %(id)s)"
        " ORDER BY id",
        {"accession": accession, "id": number},
    )
    rows = cursor.fetchall()
    for row in rows:
        row["instances"] = [entry["instance"] for entry in row["instances"]]
        if row["state"] == GRANTED and all(archive["state"] == TAKEN for archive in row["archives"]):
            row["state"] = DONE
    return rows
