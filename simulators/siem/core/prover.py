"""The thread that proves what is stored while the core is at work: the newest batches, and the others in turn.

What it finds is told once, and again when it is found once more after it was gone. It proves with the key that signs;
what somebody who has that key has changed is found by what others have kept (``pacslab audit verify``).
"""

from __future__ import annotations

import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, LiteralString

import psycopg

from simulators.siem.store.verify import verify_part

if TYPE_CHECKING:
    from simulators.siem.store.verify import Fault

PAUSE = 5.0
"""Seconds between two turns."""
NEWEST, IN_TURN = 1_000, 500
"""Records of a turn, in whole batches: of the newest, and of all the others from where the last turn ended."""
_BACK = """
SELECT number FROM (
  SELECT number, sum(count) OVER (ORDER BY number DESC) - count AS before
  FROM (SELECT number, count FROM siem.batches ORDER BY number DESC LIMIT %(most)s) AS newest
) AS counted WHERE before < %(most)s ORDER BY number
"""
_ON = """
SELECT number FROM (
  SELECT number, sum(count) OVER (ORDER BY number) - count AS before
  FROM (SELECT number, count FROM siem.batches WHERE number >= %(begin)s ORDER BY number LIMIT %(most)s) AS following
) AS counted WHERE before < %(most)s ORDER BY number
"""


class Prover:
    """Proves the store in turns."""

    def __init__(self, target: str, public: bytes, pause: float = PAUSE) -> None:
        """Begin.

        Args:
            target: connection string of the database.
            public: the key that proves signatures.
            pause: seconds between two turns.
        """
        self._target, self._public, self._pause = target, public, pause
        self._connection: psycopg.Connection | None = None
        self._next = 1
        self._told: dict[str, tuple[str, int] | None] = {}
        self._found: queue.SimpleQueue[Fault] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prover", daemon=True)
        self._thread.start()

    def found(self) -> list[Fault]:
        """Return what was found since the last time."""
        faults: list[Fault] = []
        with suppress(queue.Empty):
            while True:
                faults.append(self._found.get_nowait())
        return faults

    def stop(self) -> None:
        """End after the turn at hand."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self._pause):
            try:
                self._turn()
            except psycopg.Error:  # it is away: the keeper says so
                self._lose()
        self._lose()

    def _turn(self) -> None:
        connection = self._connection
        if connection is None:
            connection = self._connection = psycopg.connect(
                self._target, autocommit=True, connect_timeout=5, application_name="pacslab-siem-proof"
            )
        newest = _numbers(connection, _BACK, most=NEWEST)
        self._prove(connection, "newest", newest)
        if newest.start <= 1:
            return
        begin = self._next if self._next < newest.start else 1
        others = _numbers(connection, _ON, begin=begin, most=IN_TURN)
        self._next = min(others.stop, newest.start)
        self._prove(connection, f"from {begin}", range(begin, self._next))

    def _prove(self, connection: psycopg.Connection, name: str, numbers: range) -> None:
        fault = verify_part(connection, self._public, numbers).fault
        seen = (fault.kind, fault.position) if fault is not None else None
        if fault is not None and self._told.get(name) != seen:
            self._found.put(fault)
        self._told[name] = seen
        if seen is None:
            del self._told[name]

    def _lose(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _numbers(connection: psycopg.Connection, query: LiteralString, **values: int) -> range:
    """The numbers of batches, which follow each other; a number that is missing between them is for the proof."""
    found = [number for (number,) in connection.execute(query, values)]
    return range(found[0], found[-1] + 1) if found else range(1, 1)
