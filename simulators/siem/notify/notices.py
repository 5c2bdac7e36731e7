"""Keeps who was told of which incident, so that a restart neither loses nor repeats it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.siem.incidents.model import GRAVITY
from simulators.siem.sigma.model import Level

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg

    from simulators.siem.incidents.model import Incident


@dataclass(frozen=True)
class Recipient:
    """Somebody who is told, and how.

    Attributes:
        channel: ``mail`` or ``webhook``.
        name: address of a mailbox, or the webhook's host.
        host: to which it goes.
        account: the person's name at sign-on; empty of a webhook.
    """

    channel: str
    name: str
    host: str
    account: str = ""


class Notices:
    """What the database has of it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        """Use a connection of an account that may read and add notices; it is in no transaction."""
        self._connection = connection

    def told(self, recipient: Recipient) -> dict[int, Level]:
        """Return as how grave somebody was last told of each incident, by its number."""
        rows = self._connection.execute(
            "SELECT incident, level FROM siem.notices WHERE channel = %s AND recipient = %s",
            [recipient.channel, recipient.name],
        )
        found: dict[int, Level] = {}
        for incident, word in rows:
            level = Level(word)
            if incident not in found or GRAVITY[level] > GRAVITY[found[incident]]:
                found[incident] = level
        return found

    def within_an_hour(self, recipient: Recipient, level: Level) -> int:
        """Return how often somebody was told of something so grave in the last hour."""
        row = self._connection.execute(
            "SELECT count(*) FROM siem.notices WHERE channel = %s AND recipient = %s AND level = %s"
            " AND at > clock_timestamp() - interval '1 hour'",
            [recipient.channel, recipient.name, str(level)],
        ).fetchone()
        return int(row[0]) if row else 0

    @contextmanager
    def telling(self, incident: Incident, recipient: Recipient) -> Iterator[bool]:
        """Note that somebody is told, if the block ends without an error; yield whether nobody has told them before.

        The note is made before the block and counts after it: who could not be noted is not told, and two that do
        the same wait for each other.
        """
        with self._connection.transaction():
            yield self._add(incident, recipient, "told")

    def refuse(self, incident: Incident, recipient: Recipient) -> None:
        """Note that the other side does not take what somebody was to be told."""
        self._add(incident, recipient, "refused")

    def _add(self, incident: Incident, recipient: Recipient, outcome: str) -> bool:
        done = self._connection.execute(
            "INSERT INTO siem.notices (incident, level, channel, recipient, outcome) VALUES (%s, %s, %s, %s, %s)"
            " ON CONFLICT DO NOTHING",
            [incident.number, str(incident.level), recipient.channel, recipient.name, outcome],
        )
        return done.rowcount == 1
