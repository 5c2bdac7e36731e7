"""The outbox: no HL7 message that goes out is lost, sent twice with effect, or held up by another patient's."""

from __future__ import annotations

import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Any

import psycopg

from simulators import mllp
from simulators.command_line import Result, table
from simulators.database import one
from simulators.deadline import Deadline
from simulators.errors import ArgumentError, NotFoundError, SimulatorError
from simulators.events import reasons
from simulators.events.actions import SEND, SETTLE
from simulators.events.report import reason_of, write_event, write_failure
from simulators.hl7exchange import messages
from simulators.hl7messages import MalformedError, read_answer
from simulators.service import publish
from simulators.settling import SETTLED
from simulators.tls import client_context

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from simulators.database import Cursor, Database
    from simulators.events.vocabulary import Reason
    from simulators.hl7messages import Answer
    from simulators.settings import Peer, Settings

LONGEST_PAUSE = 15
"""Seconds between two attempts at a peer that does not answer, or at a message that it cannot process."""

POLL_SECONDS = 2.0
"""How often a service looks for messages that a command has left in the outbox."""

MOST_ERRORS = 12
"""Answers "send it again" (AE 207) after which a message is set aside, when its peer has taken others meanwhile."""

LONGEST_FAILING = 3600
"""Seconds after which it is set aside even if its peer has taken nothing meanwhile."""

_DUPLICATE, _INTERNAL = 205, 207


class Attempt(Enum):
    """What came of looking for a message to send."""

    NOTHING = "no message may be sent now"
    UNANSWERED = "the peer did not answer"
    ANSWERED = "the peer answered: it took the message, refused it, or wants it again later"


class Outbox:
    """Delivers waiting messages to each peer; those about one patient in the order in which they were written.

    A message is tried until it is answered. One that the peer refuses is kept as refused. One that the peer cannot
    process (AE 207) is tried again later and holds up only what is about the same patients; after
    :data:`MOST_ERRORS` it is set aside until somebody decides.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        *,
        certificate: str = "hl7",
        refused: Callable[[Cursor, dict[str, Any]], None] | None = None,
    ) -> None:
        """Deliver as this host, with one of its certificates.

        `refused` is called with the row of a message that the peer refused, in the transaction that notes it.
        """
        self._settings = settings
        self._database = database
        self._certificate = certificate
        self._refused = refused
        self._wake: dict[str, threading.Event] = {}

    def start(self) -> None:
        """Deliver in the background, a thread for each peer, so that one that is away holds up no other."""
        for peer in self._settings.find_peers("hl7-tls"):
            self._wake[peer.name] = threading.Event()
            threading.Thread(target=self._run, args=(peer,), name=f"outbox-{peer.name}", daemon=True).start()
        threading.Thread(target=self._report, name="outbox-report", daemon=True).start()

    def _report(self) -> None:
        """Keep the health probe's file at what is set aside; while the database is away it stays as it was."""
        failing = False
        while True:
            try:
                self.report()
            except (SimulatorError, psycopg.Error, OSError) as error:
                if not failing:
                    write_failure(SEND, error, waiting=True)
                failing = True
            else:
                failing = False
            time.sleep(POLL_SECONDS)

    def report(self) -> None:
        """Write which messages are set aside into the file that the health probe reads; nothing while none is."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT id, type, peer, control_id FROM messages WHERE state = 'set aside' ORDER BY id")
            rows = cursor.fetchall()
        lines = [f"{row['id']}: {row['type']} {row['control_id']} to {row['peer']}\n" for row in rows]
        count = [f"set aside: {len(rows)}; see `outbox --help`\n"] if rows else []
        publish("set-aside", "".join([*lines, *count]))

    def wake(self) -> None:
        """Look at once: something has been put in."""
        for event in self._wake.values():
            event.set()

    def _run(self, peer: Peer) -> None:
        wake = self._wake[peer.name]
        while True:
            wake.wait(POLL_SECONDS)
            wake.clear()
            try:
                while self.deliver_next(peer, due=True) is Attempt.ANSWERED:
                    pass
            except (SimulatorError, psycopg.Error) as error:
                write_failure(SEND, error, waiting=True, peer=peer.name)

    def deliver(self, peer: Peer, number: int, *, seconds: float = 15) -> dict[str, Any]:
        """Deliver what waits for `peer` until message `number` is answered, and return that message's row.

        It is still waiting when the peer does not answer; the service goes on trying.
        """
        deadline = Deadline(seconds)
        while (row := self.message(number))["state"] == "waiting" and not deadline.over:
            if self.deliver_next(peer, due=False) is not Attempt.ANSWERED:
                break
        return self.message(number) if row["state"] == "waiting" else row

    def message(self, number: int) -> dict[str, Any]:
        """Return a message's row."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT * FROM messages WHERE id = %s", (number,))
            return one(cursor)

    def deliver_next(self, peer: Peer, *, due: bool) -> Attempt:
        """Try the first message that may be sent; with `due`, a peer that did not answer is left alone for a while.

        One process at a time sends to a peer. One that dies meanwhile leaves the message waiting, and the receiver
        recognises its control id when it comes again.
        """
        with self._database.transaction() as cursor:
            # Schemas of one database are outboxes of their own, as are peers.
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || ' outbox ' || %s, 0))", (peer.name,)
            )
            row = _next(cursor, peer.name, due=due)
            if row is None:
                return Attempt.NOTHING
            try:
                tls = client_context(self._settings, self._certificate)
                answer = read_answer(mllp.send(peer, tls, row["body"].encode()))
                _require_answer_to(row, answer)
            except (SimulatorError, MalformedError) as error:
                _postpone(cursor, row, str(error), reason_of(error), error=type(error).__name__)
                return Attempt.UNANSWERED
            self._settle(cursor, row, answer)
            return Attempt.ANSWERED

    def _settle(self, cursor: Cursor, row: dict[str, Any], answer: Answer) -> None:
        text = " ".join(str(part) for part in (answer.acknowledgement, answer.code, answer.text) if part)
        if answer.acknowledgement in {"AE", "CE"} and answer.code == _INTERNAL:
            if not _set_aside(cursor, row, text):
                _postpone(cursor, row, text, reasons.SEND_AGAIN, answered=True)
            return
        # Control ids are random: a duplicate means that an earlier attempt was taken and its answer lost.
        taken_before = answer.code == _DUPLICATE and answer.location == "MSH^1^10" and row["attempts"] > 0
        state = "delivered" if answer.accepted or taken_before else "refused"
        cursor.execute(
            "UPDATE messages SET state = %s, answer = %s, answered = clock_timestamp(), attempts = attempts + 1,"
            " unanswered = false WHERE id = %s",
            (state, text, row["id"]),
        )
        if state == "delivered":
            write_event(SEND, **_of(row))
        else:
            if self._refused is not None:
                self._refused(cursor, {**row, "answer": text})
            write_event(SEND, reason=reasons.REFUSED_BY_PEER, **_of(row), code=answer.code)


def settle(cursor: Cursor, number: int, what: str) -> dict[str, Any]:
    """Send a message that was set aside or refused again (``retry``), or never (``drop``); return its row.

    Raises:
        NotFoundError: there is no such message in the outbox.
        ArgumentError: it is neither set aside nor refused.
    """
    cursor.execute("SELECT * FROM messages WHERE id = %s AND direction = 'out' FOR UPDATE", (number,))
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError(f"the outbox has no message {number}", remedy="`outbox` lists them.")
    if row["state"] not in {"set aside", "refused"}:
        raise ArgumentError(
            f"message {number} is {row['state']}", remedy="Only what was set aside or refused is decided on."
        )
    cursor.execute(
        "UPDATE messages SET state = %s, errors = 0, failing = NULL, next_try = clock_timestamp() WHERE id = %s"
        " RETURNING *",
        ("waiting" if what == "retry" else "dropped", number),
    )
    settled = one(cursor)
    write_event(
        SETTLE, **{name: fact for name, fact in _of(row).items() if name != "transaction"}, state=settled["state"]
    )
    return settled


def outbox_of(cursor: Cursor, arguments: argparse.Namespace) -> Result:
    """Decide as the arguments ask, and list the outbox; errors as :func:`settle`."""
    for what in SETTLED:
        if (number := getattr(arguments, what)) is not None:
            settle(cursor, number, what)
    rows = messages(cursor, outgoing_only=True)
    columns = ("id", "peer", "type", "control_id", "order_key", "state", "attempts", "answer")
    return Result(rows, table(rows, columns))


def _next(cursor: Cursor, peer: str, *, due: bool) -> dict[str, Any] | None:
    """Return the first message that nothing holds up: no pause, and no earlier message about its patients."""
    cursor.execute(
        "SELECT * FROM messages AS mine WHERE direction = 'out' AND state = 'waiting' AND peer = %(peer)s"
        " AND (next_try <= clock_timestamp() OR (unanswered AND NOT %(due)s))"
        " AND NOT EXISTS (SELECT 1 FROM messages AS earlier WHERE earlier.direction = 'out'"
        "  AND earlier.state = 'waiting' AND earlier.peer = mine.peer AND earlier.id < mine.id"
        "  AND (earlier.subjects && mine.subjects))"
        " AND NOT (%(due)s AND EXISTS (SELECT 1 FROM messages AS away WHERE away.direction = 'out'"
        "  AND away.state = 'waiting' AND away.peer = mine.peer AND away.unanswered"
        "  AND away.next_try > clock_timestamp()))"
        " ORDER BY id LIMIT 1",
        {"peer": peer, "due": due},
    )
    return cursor.fetchone()


def _require_answer_to(row: dict[str, Any], answer: Answer) -> None:
    """Take no acknowledgement of another message for this one's (MSA-2); what could not be read has no number.

    Raises:
        MalformedError: it is another message's.
    """
    if answer.control_id != row["control_id"] and (answer.accepted or answer.control_id):
        raise MalformedError("the answer is another message's (MSA-2)")


def _postpone(
    cursor: Cursor,
    row: dict[str, Any],
    why: str,
    reason: Reason,
    *,
    answered: bool = False,
    error: str | None = None,
) -> None:
    pause = min(2 ** min(row["errors" if answered else "attempts"], 8), LONGEST_PAUSE)
    cursor.execute(
        "UPDATE messages SET attempts = attempts + 1, answer = %s, unanswered = %s, errors = errors + %s,"
        " failing = CASE WHEN %s THEN coalesce(failing, clock_timestamp()) ELSE failing END,"
        " next_try = clock_timestamp() + make_interval(secs => %s) WHERE id = %s",
        (why, not answered, int(answered), answered, pause, row["id"]),
    )
    write_event(SEND, reason=reason, waiting=True, **_of(row), attempts=row["attempts"] + 1, seconds=pause, error=error)


def _set_aside(cursor: Cursor, row: dict[str, Any], why: str) -> bool:
    """Set a message aside that its peer cannot process although it processes others, or for an hour; tell whether."""
    if row["errors"] + 1 < MOST_ERRORS:
        return False
    cursor.execute(
        "UPDATE messages AS mine SET state = 'set aside', answer = %s, attempts = attempts + 1, errors = errors + 1,"
        " unanswered = false WHERE id = %s AND (failing < clock_timestamp() - make_interval(secs => %s)"
        " OR EXISTS (SELECT 1 FROM messages AS other WHERE other.direction = 'out' AND other.peer = mine.peer"
        "  AND other.state IN ('delivered', 'refused') AND other.answered > mine.failing))",
        (why, row["id"], LONGEST_FAILING),
    )
    if cursor.rowcount == 0:
        return False
    write_event(SEND, reason=reasons.SET_ASIDE, **_of(row), attempts=row["attempts"] + 1)
    return True


def _of(row: dict[str, Any]) -> dict[str, Any]:
    """What identifies a message in an event."""
    kind = row["type"]
    return {
        "transaction": kind if kind in SEND.transactions else None,
        "message_type": kind,
        "peer": row["peer"],
        "control_id": row["control_id"],
    }
