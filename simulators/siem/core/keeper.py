"""The thread that stores what is sealed: events, batch, alerts and progress in one transaction, and answers then."""

from __future__ import annotations

import queue
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg

from simulators.siem.core.ledger import State
from simulators.siem.core.progress import Gap
from simulators.siem.core.retention import expired
from simulators.siem.store import rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.siem.core.pending import Sealed
    from simulators.siem.store.hashes import Batch

MOST = 4
"""Batches that wait; with more the core reads no further, so that senders keep what they have."""
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
"""Seconds until a batch that could not be stored is tried again."""
LOOK = 3600.0
"""Seconds between two looks at which days may go."""
LOCK = 1800_26
"""Advisory lock: one core stores."""
CHANNEL = "siem"
"""Where listeners are told the number of each batch (NOTIFY)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_LAST_OF_EACH_RUN = """
WITH RECURSIVE runs AS (
  (SELECT host, run FROM siem.progress ORDER BY host, run LIMIT 1)
  UNION ALL
  SELECT next.host, next.run FROM runs, LATERAL (
    SELECT host, run FROM siem.progress WHERE (host, run) > (runs.host, runs.run) ORDER BY host, run LIMIT 1
  ) AS next
)
SELECT runs.host, runs.run, last.last FROM runs, LATERAL (
  SELECT last FROM siem.progress AS p WHERE p.host = runs.host AND p.run = runs.run ORDER BY last DESC LIMIT 1
) AS last
"""
"""One step of the index for each run, however many batches there are."""


class OtherStoreError(RuntimeError):
    """The store is not where this core left it: somebody else has written to it."""


def connect(target: str) -> psycopg.Connection:
    """Open the database as the one core that stores.

    Raises:
        psycopg.Error: it does not answer, or another core stores.
    """
    connection = psycopg.connect(target, autocommit=True, connect_timeout=5, application_name="pacslab-siem")
    try:
        locked = connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK]).fetchone()
        if locked is None or not locked[0]:
            raise psycopg.OperationalError("another core stores")  # noqa: TRY301 - it closes the connection, too
    except BaseException:
        connection.close()
        raise
    return connection


def read_state(connection: psycopg.Connection) -> State:
    """Return where the store was left.

    Raises:
        psycopg.Error: it cannot be read.
    """
    state = State()
    last = connection.execute(
        "SELECT number, first + count - 1, until, head FROM siem.batches ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if last is not None:
        state.number, state.position, state.head = last[0], last[1], bytes(last[3])
        state.until = (last[2] - _EPOCH) // timedelta(microseconds=1)
    for host, run, number in connection.execute(_LAST_OF_EACH_RUN):
        state.progress.restore(host, run.bytes, number)
    for host, run, first, until in connection.execute("SELECT host, run, first, last FROM siem.gaps"):
        state.progress.restore_gap(Gap(host, run.bytes, first, until))
    for host, run, number in connection.execute("SELECT host, run, number FROM siem.late"):
        state.progress.restore_late(host, run.bytes, number)
    return state


class Keeper:
    """Stores batches in their order, however long that takes."""

    def __init__(
        self,
        target: str,
        connection: psycopg.Connection,
        answer: Callable[[Sealed], None],
        report: Callable[[str], None],
        keep_days: int,
    ) -> None:
        """Store over `connection`, and over others to the same target when it is lost.

        Args:
            target: connection string.
            connection: an open one, as :func:`connect` returns it.
            answer: is told of each batch once it is stored.
            report: is told why nothing is stored, and with nothing when it is again.
            keep_days: how long records are kept.
        """
        self._target, self._answer, self._report = target, answer, report
        self._connection: psycopg.Connection | None = connection
        self._days: set[date] = set()
        self._queue: queue.Queue[Sealed | None] = queue.Queue(MOST)
        self._stopping = threading.Event()
        self._keep_days, self._looked = keep_days, 0.0
        self._expired: list[date] = []
        self.failed = False
        """It has ended: the store is not where it was left."""
        self.stored = 0
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self._thread.start()

    def put(self, sealed: Sealed, give_up: Callable[[], bool]) -> bool:
        """Hand over a batch, waiting for room; tell whether it was taken before an end."""
        while not give_up() and self._thread.is_alive():
            try:
                self._queue.put(sealed, timeout=0.5)
            except queue.Full:
                continue
            return True
        return False

    def stop(self, seconds: float) -> None:
        """Store what was handed over, for no longer than this, and end."""
        try:
            self._queue.put(None, timeout=seconds)
            self._thread.join(seconds)
        except queue.Full:
            pass  # the database is away: what is not stored is not acknowledged
        self._stopping.set()
        self._thread.join(LONGEST_PAUSE)
        if self._connection is not None and not self._thread.is_alive():
            self._connection.close()

    def _run(self) -> None:
        try:
            while (sealed := self._queue.get()) is not None and self._keep(sealed):
                self._answer(sealed)
        except OtherStoreError as error:
            self._report(str(error))
        self.failed = not self._stopping.is_set() and sealed is not None

    def _keep(self, sealed: Sealed) -> bool:
        """Store a batch; tell whether that was done before an end."""
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            try:
                self._store(sealed)
            except psycopg.Error as error:
                self._lose()
                self._report(f"nothing is stored: {_said(error)}")
                self._stopping.wait(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            if pause > FIRST_PAUSE:
                self._report("")
            self._look_after_days(sealed)
            return True
        return False

    def expired(self) -> list[date]:
        """Return days that may go, once."""
        days, self._expired = self._expired, []
        return days

    def _look_after_days(self, sealed: Sealed) -> None:
        """Let go what has been stored to go, and look now and then what may."""
        connection, now = self._connection, time.monotonic()
        if connection is None:
            return
        try:
            for day in sealed.pending.drops:
                with connection.transaction():
                    connection.execute("SET LOCAL lock_timeout = '2s'")  # somebody may be reading it
                    connection.execute("SELECT siem.drop_day(%s)", [day])
            if not self._looked or now - self._looked > LOOK:
                self._looked = now
                self._expired = expired(connection, self._keep_days)
        except psycopg.Error as error:
            self._report(f"a day that is due does not go: {_said(error)}")

    def _store(self, sealed: Sealed) -> None:
        if sealed.batch is None:
            return
        connection = self._connection
        if connection is None:
            connection = self._connection = connect(self._target)
            if self._has(connection, sealed.batch):  # its commit was done, and its answer lost
                return
        for day in {_when(sealed.batch.since).date(), _when(sealed.batch.until).date()} - self._days:
            connection.execute("SELECT siem.make_day(%s)", [day])
            self._days.add(day)
        with connection.transaction():
            self._write(connection, sealed, sealed.batch)
        self.stored += sealed.batch.count

    @staticmethod
    def _has(connection: psycopg.Connection, batch: Batch) -> bool:
        last = connection.execute("SELECT number, head FROM siem.batches ORDER BY number DESC LIMIT 1").fetchone()
        number, head = (0, batch.previous) if last is None else (last[0], bytes(last[1]))
        if (number, head) == (batch.number, batch.head):
            return True
        if (number, head) != (batch.number - 1, batch.previous):
            raise OtherStoreError(f"the store ends with batch {number}, and not as it was left")
        return False

    @staticmethod
    def _write(connection: psycopg.Connection, sealed: Sealed, batch: Batch) -> None:
        pending = sealed.pending
        with connection.cursor() as cursor:
            for name, columns, made in (
                ("events", rows.EVENTS, [rows.event(record, fields) for record, fields in pending.events]),
                ("messages", rows.MESSAGES, [rows.messages(some) for some in pending.messages if any(some.raw)]),
                ("quarantine", rows.QUARANTINE, [rows.refused(record) for record in pending.refused]),
                ("alerts", rows.ALERTS, [rows.alert(record) for record in pending.alerts]),
            ):
                if not made:
                    continue
                names = ", ".join(f'"{column}"' for column in columns)
                with cursor.copy(f"COPY siem.{name} ({names}) FROM STDIN (FORMAT BINARY)") as copy:
                    copy.write(rows.copied(made))
            cursor.execute(
                "INSERT INTO siem.batches (number, first, count, since, until, leaves, root, previous, head, signature)"
                " VALUES (%s, %s, %s, %s, %s, %b, %b, %b, %b, %b)",
                [
                    batch.number, batch.first, batch.count, _when(batch.since), _when(batch.until),
                    b"".join(pending.leaves), batch.root, batch.previous, batch.head, sealed.signature,
                ],
            )  # fmt: skip
            if pending.progress:
                cursor.executemany(
                    "INSERT INTO siem.progress (host, run, last, batch) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                    [(host, UUID(bytes=run), last, batch.number) for (host, run), last in pending.progress.items()],
                )
            for gap in pending.gaps:
                cursor.execute(
                    "INSERT INTO siem.gaps (host, run, first, last, noticed) VALUES (%s, %s, %s, %s, %s)",
                    [gap.host, UUID(bytes=gap.run), gap.first, gap.last, _when(batch.until)],
                )
            for late in pending.late:
                cursor.execute(
                    "INSERT INTO siem.late (host, run, number) VALUES (%s, %s, %s)",
                    [late.host, UUID(bytes=late.run), late.number],
                )
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(batch.number)])

    def _lose(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _when(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)


def _said(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).strip().splitlines()[0]
