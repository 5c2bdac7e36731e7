"""The table ``messages``: every HL7 message that came in, and the outbox that loses none that goes out."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg

from simulators import mllp
from simulators.database import one
from simulators.deadline import Deadline
from simulators.errors import SimulatorError
from simulators.events import reasons
from simulators.events.actions import SEND
from simulators.events.report import reason_of, write_event, write_failure
from simulators.hl7content import Envelope
from simulators.hl7messages import MalformedError, Party, new_control_id, parse, read_answer
from simulators.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.database import Cursor, Database
    from simulators.events.vocabulary import Reason
    from simulators.hl7messages import Answer, Message
    from simulators.settings import Peer, Settings

MESSAGES_TABLE: LiteralString = """
CREATE TABLE messages (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    direction   text NOT NULL CHECK (direction IN ('in', 'out')),
    peer        text NOT NULL,
    control_id  text NOT NULL,
    type        text NOT NULL,
    order_key   text,
    body        text NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    state       text NOT NULL CHECK (state IN ('accepted', 'waiting', 'delivered', 'refused')),
    attempts    integer NOT NULL DEFAULT 0,
    next_try    timestamptz NOT NULL DEFAULT clock_timestamp(),
    answered    timestamptz,
    answer      text,
    UNIQUE (direction, peer, control_id)
);
CREATE INDEX messages_waiting ON messages (peer, id) WHERE state = 'waiting';
CREATE INDEX messages_order ON messages (order_key);
"""

LONGEST_PAUSE = 15
"""Seconds between two attempts at a peer that does not answer."""

POLL_SECONDS = 2.0
"""How often a service looks for messages that a command has left in the outbox."""

_DUPLICATE, _INTERNAL = 205, 207


@dataclass(frozen=True)
class TransactionalInbox:
    """An inbox whose note of a message and whose work stand or fall together.

    Attributes:
        database: where both happen.
        work: does what the message asks; returns the key under which its order's trail is kept (or None).
        done: called after the commit, such as to wake the outbox.
    """

    database: Database
    work: Callable[[Cursor, str, Message], str | None]
    done: Callable[[], None]

    def accept(self, sender: str, message: Message) -> bool:
        """Do the work unless the sender's control id came before; see :class:`simulators.hl7receiver.Inbox`."""
        with self.database.transaction() as cursor:
            cursor.execute(
                "INSERT INTO messages (direction, peer, control_id, type, body, state, answer)"
                " VALUES ('in', %s, %s, %s, %s, 'accepted', 'AA') ON CONFLICT DO NOTHING RETURNING id",
                (sender, message.control_id, message.type, message.text),
            )
            row = cursor.fetchone()
            if row is None:
                return False
            key = self.work(cursor, sender, message)
            cursor.execute("UPDATE messages SET order_key = %s, answered = now() WHERE id = %s", (key, row["id"]))
        self.done()
        return True


def enqueue(
    cursor: Cursor, settings: Settings, peer: Peer, write: Callable[[Envelope], str], key: str | None = None
) -> int:
    """Put a message into the outbox, in the transaction of the change that it tells; return its number.

    Args:
        cursor: of that transaction.
        settings: this host's.
        peer: who gets it.
        write: makes the message for an envelope.
        key: accession or placer order number under which the trail keeps it.
    """
    site = settings.site.name
    envelope = Envelope(Party.of(settings.host.name, site), Party.of(peer.name, site), new_control_id())
    body = write(envelope)
    cursor.execute(
        "INSERT INTO messages (direction, peer, control_id, type, order_key, body, state)"
        " VALUES ('out', %s, %s, %s, %s, %s, 'waiting') RETURNING id",
        (peer.name, envelope.control_id, parse(body.encode()).type, key, body),
    )
    number: int = one(cursor)["id"]
    return number


class Outbox:
    """Delivers waiting messages to each peer in the order in which they were written.

    A message is tried until it is answered. One that the peer refuses is kept as refused and does not hold up the next.
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
                while self.deliver_next(peer, due=True):
                    pass
            except (SimulatorError, psycopg.Error) as error:
                write_failure(SEND, error, waiting=True, peer=peer.name)

    def deliver(self, peer: Peer, number: int, *, seconds: float = 15) -> dict[str, Any]:
        """Deliver what waits for `peer` up to message `number`, and return that message's row.

        It is still waiting when the peer does not answer; the service goes on trying.
        """
        deadline = Deadline(seconds)
        while (row := self.message(number))["state"] == "waiting" and not deadline.over:
            if not self.deliver_next(peer, due=False):
                break
        return self.message(number) if row["state"] == "waiting" else row

    def message(self, number: int) -> dict[str, Any]:
        """Return a message's row."""
        with self._database.transaction() as cursor:
            cursor.execute("SELECT * FROM messages WHERE id = %s", (number,))
            return one(cursor)

    def deliver_next(self, peer: Peer, *, due: bool) -> bool:
        """Try the first waiting message of a peer; False when there is none, it is not `due`, or it was not answered.

        The row is locked while the message is under way, so that two processes do not send it twice; a process that
        dies meanwhile leaves it waiting, and the receiver recognises its control id when it comes again.
        """
        with self._database.transaction() as cursor:
            cursor.execute(
                "SELECT *, next_try <= clock_timestamp() AS due FROM messages"
                " WHERE direction = 'out' AND state = 'waiting' AND peer = %s ORDER BY id LIMIT 1 FOR UPDATE",
                (peer.name,),
            )
            row = cursor.fetchone()
            if row is None or (due and not row["due"]):
                return False
            try:
                tls = client_context(self._settings, self._certificate)
                answer = read_answer(mllp.send(peer, tls, row["body"].encode()))
            except (SimulatorError, MalformedError) as error:
                self._postpone(cursor, row, str(error), reason_of(error), type(error).__name__)
                return False
            return self._settle(cursor, row, answer)

    def _postpone(
        self, cursor: Cursor, row: dict[str, Any], why: str, reason: Reason, error: str | None = None
    ) -> None:
        pause = min(2 ** min(row["attempts"], 8), LONGEST_PAUSE)
        cursor.execute(
            "UPDATE messages SET attempts = attempts + 1, answer = %s,"
            " next_try = clock_timestamp() + make_interval(secs => %s) WHERE id = %s",
            (why, pause, row["id"]),
        )
        write_event(
            SEND, reason=reason, waiting=True, **_of(row), attempts=row["attempts"] + 1, seconds=pause, error=error
        )

    def _settle(self, cursor: Cursor, row: dict[str, Any], answer: Answer) -> bool:
        if answer.acknowledgement == "AE" and answer.code == _INTERNAL:
            self._postpone(cursor, row, f"AE {answer.code} {answer.text}", reasons.SEND_AGAIN)
            return False
        # Control ids are random: a duplicate means that an earlier attempt was taken and its answer lost.
        taken_before = answer.code == _DUPLICATE and answer.location == "MSH^1^10"
        state = "delivered" if answer.accepted or taken_before else "refused"
        text = " ".join(str(part) for part in (answer.acknowledgement, answer.code, answer.text) if part)
        cursor.execute(
            "UPDATE messages SET state = %s, answer = %s, answered = clock_timestamp(), attempts = attempts + 1"
            " WHERE id = %s",
            (state, text, row["id"]),
        )
        if state == "delivered":
            write_event(SEND, **_of(row))
        else:
            if self._refused is not None:
                self._refused(cursor, {**row, "answer": text})
            write_event(SEND, reason=reasons.REFUSED_BY_PEER, **_of(row), code=answer.code)
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


def messages(cursor: Cursor, *, keys: Sequence[str] = (), outgoing_only: bool = False) -> list[dict[str, Any]]:
    """Return messages, oldest first, without their bodies: those of the order keys, or all."""
    cursor.execute(
        "SELECT id, direction, peer, type, control_id, order_key, state, at, attempts, answered, answer FROM messages"
        " WHERE (cardinality(%(keys)s::text[]) = 0 OR order_key = ANY(%(keys)s))"
        " AND (NOT %(out)s OR direction = 'out') ORDER BY id",
        {"keys": list(keys), "out": outgoing_only},
    )
    return cursor.fetchall()
