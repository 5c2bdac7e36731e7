"""The table ``messages``: every HL7 message that came in, and all that go out, with the changes that they tell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, LiteralString

from simulators.database import one
from simulators.hl7content import Envelope
from simulators.hl7memory import REMEMBERED_DAYS, Acceptance, content_of
from simulators.hl7messages import Party, new_control_id, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from simulators.database import Cursor, Database
    from simulators.hl7messages import Message
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

MESSAGES_REMEMBERED: LiteralString = r"""
ALTER TABLE messages DROP CONSTRAINT messages_direction_peer_control_id_key;
ALTER TABLE messages DROP CONSTRAINT messages_state_check;
ALTER TABLE messages
    ADD CHECK (state IN ('accepted', 'waiting', 'delivered', 'refused', 'set aside', 'dropped')),
    ADD COLUMN subjects   text[] NOT NULL DEFAULT '{}',
    ADD COLUMN unanswered boolean NOT NULL DEFAULT false,
    ADD COLUMN errors     integer NOT NULL DEFAULT 0,
    ADD COLUMN failing    timestamptz;
CREATE TABLE control_ids (
    peer       text NOT NULL,
    control_id text NOT NULL,
    content    text NOT NULL,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (peer, control_id)
);
CREATE INDEX control_ids_at ON control_ids (at);
UPDATE messages SET subjects = ARRAY[peer] WHERE state = 'waiting';
INSERT INTO control_ids
    SELECT peer, control_id,
        encode(sha256(convert_to(regexp_replace(body, '^(([^|]*\|){6})[^|]*', '\1'), 'UTF8')), 'hex'), at
    FROM messages WHERE direction = 'in';
"""
"""The step after :data:`MESSAGES_TABLE`: control ids are remembered for a time, and what fails is set aside.

``subjects`` are the patients that a message is about, ``errors`` counts answers that asked for another try, ``failing``
says since when, and ``unanswered`` that the last attempt brought no answer at all.
"""


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

    def accept(self, sender: str, message: Message) -> Acceptance:
        """Do the work unless the sender's control id came before; see :class:`simulators.hl7receiver.Inbox`.

        A message that is refused leaves nothing behind, so that it is judged anew when it comes again.
        """
        with self.database.transaction() as cursor:
            acceptance = _remember(cursor, sender, message)
            if acceptance is not Acceptance.NEW:
                return acceptance
            cursor.execute(
                "INSERT INTO messages (direction, peer, control_id, type, body, state, answer)"
                " VALUES ('in', %s, %s, %s, %s, 'accepted', 'AA') RETURNING id",
                (sender, message.control_id, message.type, message.text),
            )
            number = one(cursor)["id"]
            key = self.work(cursor, sender, message)
            cursor.execute("UPDATE messages SET order_key = %s, answered = now() WHERE id = %s", (key, number))
        self.done()
        return Acceptance.NEW


def _remember(cursor: Cursor, sender: str, message: Message) -> Acceptance:
    """Note a sender's control id, and tell whether it came before; one that comes at the same moment is waited for."""
    content = content_of(message.text)
    cursor.execute(
        "DELETE FROM control_ids WHERE at < clock_timestamp() - make_interval(days => %s)", (REMEMBERED_DAYS,)
    )
    cursor.execute(
        "INSERT INTO control_ids (peer, control_id, content) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (sender, message.control_id, content),
    )
    if cursor.rowcount:
        return Acceptance.NEW
    cursor.execute("SELECT content FROM control_ids WHERE peer = %s AND control_id = %s", (sender, message.control_id))
    return Acceptance.REPEATED if one(cursor)["content"] == content else Acceptance.OTHER_CONTENT


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
    message = parse(body.encode())
    subjects = {message.get("PID", 3), message.get("MRG", 1)} - {""}
    cursor.execute(
        "INSERT INTO messages (direction, peer, control_id, type, order_key, body, state, subjects)"
        " VALUES ('out', %s, %s, %s, %s, %s, 'waiting', %s) RETURNING id",
        (peer.name, envelope.control_id, message.type, key, body, sorted(subjects)),
    )
    number: int = one(cursor)["id"]
    return number


def messages(cursor: Cursor, *, keys: Sequence[str] = (), outgoing_only: bool = False) -> list[dict[str, Any]]:
    """Return messages, oldest first, without their bodies: those of the order keys, or all."""
    cursor.execute(
        "SELECT id, direction, peer, type, control_id, order_key, state, at, attempts, errors, answered, answer"
        " FROM messages"
        " WHERE (cardinality(%(keys)s::text[]) = 0 OR order_key = ANY(%(keys)s))"
        " AND (NOT %(out)s OR direction = 'out') ORDER BY id",
        {"keys": list(keys), "out": outgoing_only},
    )
    return cursor.fetchall()
