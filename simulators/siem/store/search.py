"""Finds events by what they are about; and tells how senders stand."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from simulators.siem.store.rows import LONGEST_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    import psycopg

    from simulators.siem.fields import Fields

BY: dict[str, LiteralString] = {
    "accession": "accession = %s",
    "patient": "patient = %s",
    "person": "person = %s",
    "study": "study = %s",
    "host": "host = %s",
}
"""What is asked for, each with the index that answers it."""
LIMIT = 10_000
LOOK_BACK = "1 hour"
"""For as long at most any correlation of ours counts."""


@dataclass(frozen=True)
class Found:
    """An event."""

    position: int
    received: datetime
    fields: Fields


def find(
    connection: psycopg.Connection, wanted: dict[str, str], since: datetime | None = None, limit: int = LIMIT
) -> Iterator[Found]:
    """Yield events with all that is wanted, the oldest of the newest `limit` first.

    Raises:
        psycopg.Error: the database does not answer.
    """
    conditions = [BY[name] for name in wanted]
    values: list[Any] = [value[:LONGEST_KEY] for value in wanted.values()]
    if since is not None:
        conditions.append("received >= %s")
        values.append(since)
    where = " AND ".join(conditions)
    rows = connection.execute(
        f"SELECT position, received, fields::text FROM siem.events WHERE {where}"  # noqa: S608 - of the table above
        " ORDER BY received DESC, position DESC LIMIT %s",
        [*values, limit],
    ).fetchall()
    for position, received, fields in reversed(rows):
        yield Found(position, received, json.loads(fields))


def at_positions(connection: psycopg.Connection, positions: list[int], since: datetime) -> Iterator[Found]:
    """Yield the events of these positions that were received since then, in their order.

    Raises:
        psycopg.Error: the database does not answer.
    """
    rows = connection.execute(
        "SELECT position, received, fields::text FROM siem.events"
        " WHERE received >= %s AND position = ANY(%s) ORDER BY position",
        [since, positions],
    ).fetchall()
    for position, received, fields in rows:
        yield Found(position, received, json.loads(fields))


def events_after(connection: psycopg.Connection, position: int) -> Iterator[tuple[int, Fields]]:
    """Yield the events that were stored after a position, in their order; after 0, those of the last hour.

    Raises:
        psycopg.Error: the database does not answer.
    """
    since = connection.execute(
        "SELECT since FROM siem.batches WHERE first <= %s ORDER BY number DESC LIMIT 1", [position]
    ).fetchone()
    with connection.transaction(), connection.cursor(name="events_after") as cursor:
        cursor.execute(
            "SELECT position, fields::text FROM siem.events"
            " WHERE received >= coalesce(%s, now() - %s::interval) AND position > %s ORDER BY received, position",
            [since[0] if since is not None else None, LOOK_BACK, position],
        )
        for place, fields in cursor:
            yield place, json.loads(fields)


def senders(connection: psycopg.Connection) -> list[dict[str, Any]]:
    """Return each host that has sent, with when it was last heard, its runs, what is missing, what was kept apart."""
    rows = connection.execute("""
        WITH runs AS (SELECT host, run, max(last) AS last FROM siem.progress GROUP BY host, run),
        missing AS (
          SELECT g.host, g.run, g.first, g.last,
                 (SELECT count(*) FROM siem.late AS l
                  WHERE l.host = g.host AND l.run = g.run AND l.number BETWEEN g.first AND g.last) AS come
          FROM siem.gaps AS g
        ), refused AS (SELECT host, count(*) AS number FROM siem.quarantine GROUP BY host)
        SELECT h.host, (SELECT max(e.received) FROM siem.events AS e WHERE e.host = h.host),
          (SELECT coalesce(json_agg(json_build_object('run', r.run, 'last', r.last) ORDER BY r.run), '[]')
           FROM runs AS r WHERE r.host = h.host),
          (SELECT coalesce(json_agg(json_build_object('run', m.run, 'first', m.first, 'last', m.last, 'come', m.come)
                                    ORDER BY m.run, m.first), '[]')
           FROM missing AS m WHERE m.host = h.host AND m.come < m.last - m.first + 1),
          coalesce((SELECT q.number FROM refused AS q WHERE q.host = h.host), 0)
        FROM (SELECT host FROM runs UNION SELECT host FROM refused) AS h ORDER BY h.host
    """).fetchall()
    return [
        {"host": host, "heard": heard and heard.isoformat(), "runs": runs, "missing": missing, "refused": refused}
        for host, heard, runs, missing, refused in rows
    ]


def head(connection: psycopg.Connection) -> dict[str, Any] | None:
    """Return number, head and signature of the newest batch, for others to keep; None where there is none."""
    row = connection.execute(
        "SELECT number, first + count - 1, head, signature FROM siem.batches ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return None
    return {"number": row[0], "position": row[1], "head": bytes(row[2]).hex(), "signature": bytes(row[3]).hex()}
