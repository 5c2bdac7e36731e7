"""RAD-49 Instance Availability Notification: which objects an archive has, or has no more (PS3.4 R)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from simulators.events import reasons
from simulators.events.actions import NOTIFY_AVAILABILITY
from simulators.events.report import write_event
from simulators.ris.requests import (
    DUPLICATE_INSTANCE,
    INVALID_VALUE,
    NOT_AUTHORISED,
    RequestError,
    check_instance,
    check_values,
    need,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydicom.dataset import Dataset

    from simulators.database import Cursor

NOTIFICATION = "1.2.840.10008.5.1.4.33"
"""SOP class (PS3.6 annex A)."""

RETRIEVABLE = frozenset({"ONLINE", "NEARLINE"})
AVAILABILITIES = RETRIEVABLE | {"OFFLINE", "UNAVAILABLE"}
"""Values of InstanceAvailability (0008,0056), PS3.3 C.4.23.1.1."""

NEEDED = ("StudyInstanceUID", "ReferencedSeriesSequence")
NEEDED_OF_SERIES = ("SeriesInstanceUID", "ReferencedSOPSequence")
NEEDED_OF_INSTANCE = ("ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "InstanceAvailability", "RetrieveAETitle")
"""Type 1 at N-CREATE (table R.3.2-1)."""


def take(cursor: Cursor, calling: str, uid: str | None, attributes: Dataset) -> None:
    """Keep what an archive says of its own objects; the same once more, after a lost answer, has no second effect.

    Raises:
        RequestError: it may not be.
    """
    uid = check_instance(uid)
    check_values(attributes)
    need(attributes, NEEDED)
    told = list(_instances(calling, attributes))
    study = str(attributes.StudyInstanceUID)
    content = attributes.to_json_dict()
    cursor.execute(
        "INSERT INTO notifications (sop_instance_uid, ae_title, study_uid, content) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (uid, calling, study, Jsonb(content)),
    )
    repeated = cursor.rowcount == 0
    if repeated:
        _require_same(cursor, calling, uid, content)
    else:
        cursor.executemany(
            "INSERT INTO instances (sop_instance_uid, ae_title, sop_class_uid, series_uid, study_uid, availability)"
            " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (sop_instance_uid, ae_title) DO UPDATE SET"
            " availability = excluded.availability, changed = clock_timestamp()",
            [(instance, calling, sop_class, series, study, state) for instance, sop_class, series, state in told],
        )
    cursor.execute("SELECT accession FROM procedures WHERE study_uid = %s", (study,))
    procedure = cursor.fetchone()
    retrievable = sum(state in RETRIEVABLE for *_, state in told)
    write_event(
        NOTIFY_AVAILABILITY,
        ae_title=calling,
        study=study,
        accession=procedure["accession"] if procedure else None,
        instances=retrievable,
        unavailable=len(told) - retrievable,
        repeated=repeated or None,
    )


def _instances(calling: str, attributes: Dataset) -> Iterator[tuple[str, str, str, str]]:
    """Give SOP instance, SOP class, series and availability of each object."""
    for series in attributes.ReferencedSeriesSequence:
        need(series, NEEDED_OF_SERIES)
        for instance in series.ReferencedSOPSequence:
            need(instance, NEEDED_OF_INSTANCE)
            if instance.InstanceAvailability not in AVAILABILITIES:
                raise RequestError(INVALID_VALUE, "InstanceAvailability has another value")
            if instance.RetrieveAETitle != calling:
                raise RequestError(
                    NOT_AUTHORISED, "RetrieveAETitle is not the caller's", reason=reasons.FOREIGN_AVAILABILITY
                )
            yield (
                str(instance.ReferencedSOPInstanceUID),
                str(instance.ReferencedSOPClassUID),
                str(series.SeriesInstanceUID),
                str(instance.InstanceAvailability),
            )


def _require_same(cursor: Cursor, calling: str, uid: str, content: dict[str, Any]) -> None:
    """Refuse another notification under a UID that came before.

    Raises:
        RequestError: it is another one.
    """
    cursor.execute("SELECT ae_title, content FROM notifications WHERE sop_instance_uid = %s", (uid,))
    known = cursor.fetchone()
    if known is None or (known["ae_title"], known["content"]) != (calling, content):
        raise RequestError(DUPLICATE_INSTANCE, "another notification has this UID")


def availability_of(cursor: Cursor, study: str) -> list[dict[str, Any]]:
    """Return how many objects of a study each archive has, and has no more."""
    cursor.execute(
        "SELECT ae_title, count(*) FILTER (WHERE availability = ANY(%(has)s)) AS instances,"
        " count(*) FILTER (WHERE NOT availability = ANY(%(has)s)) AS unavailable, max(changed) AS changed"
        " FROM instances WHERE study_uid = %(study)s GROUP BY ae_title ORDER BY ae_title",
        {"has": sorted(RETRIEVABLE), "study": study},
    )
    return cursor.fetchall()


def retrievable(cursor: Cursor, study: str) -> set[str]:
    """Return the objects of a study that some archive has."""
    cursor.execute(
        "SELECT DISTINCT sop_instance_uid FROM instances WHERE study_uid = %s AND availability = ANY(%s)",
        (study, sorted(RETRIEVABLE)),
    )
    return {row["sop_instance_uid"] for row in cursor.fetchall()}
