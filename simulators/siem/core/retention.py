"""Days that have been kept for as long as the policy says, and that nobody holds."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

_PART = re.compile(r"(?:events|messages|quarantine|alerts)_(\d{4})(\d\d)(\d\d)")


def expired(connection: psycopg.Connection, keep_days: int) -> list[date]:
    """Return the days that may go, the oldest first.

    Raises:
        psycopg.Error: it cannot be read.
    """
    newest = datetime.now(tz=UTC).date() - timedelta(days=keep_days)
    names = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'siem'").fetchall()
    days = {date(int(match[1]), int(match[2]), int(match[3])) for (name,) in names if (match := _PART.fullmatch(name))}
    return [day for day in sorted(days) if day < newest and not _is_held(connection, day)]


def _is_held(connection: psycopg.Connection, day: date) -> bool:
    row = connection.execute("SELECT siem.is_held(%s)", [day]).fetchone()
    return row is None or bool(row[0])
