"""What is being put together for one transaction, and what has to be answered once it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from simulators.siem.core.progress import Gap
    from simulators.siem.store.hashes import Batch, Record
    from simulators.siem.store.messages import Messages


class Place(NamedTuple):
    """Where an answer goes: the intake's process, and a connection of it."""

    intake: int
    connection: int


class Late(NamedTuple):
    """A number that was missing, and has come."""

    host: str
    run: bytes
    number: int


@dataclass
class Pending:
    """Records in the order of their positions, and what they change."""

    events: list[tuple[Record, Mapping[str, Any]]] = field(default_factory=list)
    refused: list[Record] = field(default_factory=list)
    alerts: list[Record] = field(default_factory=list)
    messages: list[Messages] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    progress: dict[tuple[str, bytes], int] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    late: list[Late] = field(default_factory=list)
    answers: dict[tuple[Place, bytes], int] = field(default_factory=dict)
    """Highest number to acknowledge, by connection and run."""
    drops: list[date] = field(default_factory=list)
    """Days that go once it is stored that they do."""
    octets: int = 0
    since: int = 0
    """When its first record was received, microseconds since 1970."""
    until: int = 0
    begun: float = 0.0
    """When it was begun, by the monotonic clock; 0 while there is nothing in it."""


@dataclass(frozen=True)
class Sealed:
    """What is stored in one transaction; a batch, unless there is nothing to store but to answer."""

    pending: Pending
    batch: Batch | None
    signature: bytes
