"""Hashes by which a change is found: a leaf for each record, a tree over a batch, a chain over batches.

A leaf is of everything that is stored of a record, and of its position. A tree is built as RFC 6962 2.1 builds it; its
root stands in the batch's head together with the head before it, and the head is signed (Ed25519, RFC 8032).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

SIZE = 32
"""Octets of a hash."""
EVENT, REFUSED, ALERT = b"e", b"q", b"a"
"""What a record is."""
NOTHING = b"\0" * SIZE
"""Head before the first batch."""
_LEAF = struct.Struct(">ccQqQ16sII")
_HEAD = struct.Struct(">QQIqq32s32s")
_MARK = b"pacslab audit batch 1\0"


class Record(NamedTuple):
    """A record as it is stored.

    Attributes:
        kind: :data:`EVENT`, :data:`REFUSED` or :data:`ALERT`.
        position: its number among all records.
        received: when the repository numbered it, microseconds since 1970; never less than the record's before it.
        host: short name of the sender by its certificate.
        run: the sender's spool; zeros where it has none.
        number: in that run; of an alert the position of the event that it is about, 0 where it is about none.
        raw: the message as it came.
        text: fields as JSON, or why it was refused.
        rule: of an alert, with its level before it.
    """

    kind: bytes
    position: int
    received: int
    host: str
    run: bytes
    number: int
    raw: bytes
    text: bytes
    rule: str = ""

    def leaf(self) -> bytes:
        """Return its hash."""
        named = f"{self.host}\0{self.rule}".encode("utf-8", "replace")
        head = _LEAF.pack(
            b"\0", self.kind, self.position, self.received, self.number, self.run, len(named), len(self.raw)
        )
        return sha256(b"".join((head, named, self.raw, self.text))).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root of a tree over leaves, one at least.

    >>> root_of([b"x" * 32]) == b"x" * 32
    True
    """
    level = list(leaves)
    while len(level) > 1:
        above = [sha256(b"\1" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            above.append(level[-1])
        level = above
    return level[0]


@dataclass(frozen=True, slots=True)
class Batch:
    """What was stored in one transaction.

    Attributes:
        number: counts from 1.
        first: position of its first record; the others follow without a gap.
        count: how many records.
        since, until: when its first and its last record were received, microseconds since 1970.
        root: of the tree over its records' leaves.
        previous: head of the batch before it.
    """

    number: int
    first: int
    count: int
    since: int
    until: int
    root: bytes
    previous: bytes

    @property
    def head(self) -> bytes:
        """Hash of all of it, and so of all batches before it."""
        told = (self.number, self.first, self.count, self.since, self.until, self.root, self.previous)
        return sha256(_MARK + _HEAD.pack(*told)).digest()
