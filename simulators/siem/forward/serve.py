"""The service ``pacslab-siem-forwarder``: hands every event and alert to rsyslog on the same host, which sends them on.

How far it has come is noted. After a start, and when rsyslog went away, it goes back a little: a receiver tells by the
position of a line, which is its own, that it has it already.
"""

from __future__ import annotations

import heapq
import json
import os
import signal
import socket
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from simulators.service import notify, publish
from simulators.siem.forward.line import Alert, Event

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = "host=/run/postgresql dbname=siem user=siem-forwarder"
TARGET_VARIABLE = "PACSLAB_SIEM_DATABASE"
TROUBLE, NOTED = "trouble", "forwarded.json"
AT_ONCE = 2_000
"""Records that are read at a time."""
BACK = 2_000
"""Records that are handed over again after a start: more than rsyslog holds in memory when it ends without a word."""
LOOK = 0.5
"""Seconds between two looks at what is stored."""
PAUSE = 2.0
WRITING = 300.0
"""Seconds that rsyslog may take no line while its disk is full, before that is told."""
EVENTS = (
    "SELECT position, received, host, fields FROM siem.events WHERE received >= %s AND position > %s"
    " ORDER BY received, position LIMIT %s"
)
ALERTS = (
    'SELECT position, received, host, rule, level, "of", fields FROM siem.alerts WHERE received >= %s AND position > %s'
    " ORDER BY received, position LIMIT %s"
)


class Place(NamedTuple):
    """A record: its position, and when it was received."""

    position: int
    received: datetime


class Forwarder:
    """What is handed over, and how far that has come."""

    def __init__(self, connection: psycopg.Connection, out: socket.socket, folder: Path, back: int = BACK) -> None:
        """Go on where the note says; without one, with what comes from now on."""
        self._connection, self._out, self._noted, self._back = connection, out, folder / NOTED, back
        try:
            noted = json.loads(self._noted.read_text("utf-8"))
            self._place = Place(int(noted["position"]), datetime.fromisoformat(noted["received"]))
        except (OSError, ValueError, KeyError, TypeError):
            self._place = Place(0, datetime.now(UTC))
            self._note(self._place)
        self._passed = deque([self._place])

    def turn(self) -> int:
        """Hand over what has come; return how many.

        Raises:
            psycopg.Error: the database does not answer.
            OSError: rsyslog takes nothing.
        """
        count = 0
        for place, line in self._lines():
            self._out.sendall(b"%d %b" % (len(line), line))
            self._place = place
            count += 1
        if count:
            self._passed.append(self._place)
            while len(self._passed) > 1 and self._passed[1].position <= self._place.position - self._back:
                self._passed.popleft()
            self._note(self._passed[0])
        return count

    def _lines(self) -> Iterator[tuple[Place, bytes]]:
        given = [self._place.received, self._place.position, AT_ONCE]
        events = [Event(*row) for row in self._connection.execute(EVENTS, given)]
        alerts = [Alert(*row) for row in self._connection.execute(ALERTS, given)]
        # Of the kind of which there are more than were read, nothing is known beyond its last one.
        ends = [found[-1].position for found in (events[AT_ONCE - 1 :], alerts[AT_ONCE - 1 :]) if found]
        both: Iterator[Event | Alert] = heapq.merge(events, alerts, key=lambda found: found.position)
        for one in both:
            if ends and one.position > min(ends):
                return
            yield Place(one.position, one.received), one.line()

    def _note(self, place: Place) -> None:
        draft = self._noted.with_suffix(".new")
        draft.write_text(json.dumps({"position": place.position, "received": place.received.isoformat()}), "utf-8")
        draft.replace(self._noted)


def main(argv: list[str]) -> int:
    """Serve until told to stop: rsyslog's socket."""
    folder = Path(os.environ["STATE_DIRECTORY"])
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    notify("READY=1")
    while not stopping.is_set():
        try:
            _work(os.environ.get(TARGET_VARIABLE, TARGET), argv[0], folder, stopping)
        except psycopg.Error as error:
            _complain("the repository's database does not answer", error, stopping)
        except OSError as error:
            _complain("rsyslog takes no events", error, stopping)
    notify("STOPPING=1")
    return 0


def _work(target: str, path: str, folder: Path, stopping: threading.Event) -> None:
    with (
        socket.socket(socket.AF_UNIX) as out,
        psycopg.connect(target, autocommit=True, connect_timeout=5) as connection,
    ):
        out.settimeout(WRITING)
        out.connect(path)
        forwarder = Forwarder(connection, out, folder)
        publish(TROUBLE, "")
        while not stopping.is_set():
            if not forwarder.turn():
                stopping.wait(LOOK)


def _complain(says: str, error: Exception, stopping: threading.Event) -> None:
    publish(TROUBLE, f"{says}\n")
    sys.stderr.write(f"{says}: {str(error).strip()}\n")
    sys.stderr.flush()
    stopping.wait(PAUSE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
