"""Gives each record its position, has it judged, and seals batches."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from simulators.siem.core.finding import Finding, NoRules, finding
from simulators.siem.core.pending import Late, Pending, Place, Sealed
from simulators.siem.core.progress import Progress, TooManyGapsError
from simulators.siem.normalise.moment import text_of
from simulators.siem.store import rows
from simulators.siem.store.hashes import ALERT, EVENT, NOTHING, REFUSED, Batch, Record, root_of
from simulators.siem.store.messages import Messages
from simulators.siem.store.verify import DAY, DROP
from simulators.siem.wire import NO_RUN

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from simulators.siem.core.finding import Judge
    from simulators.siem.core.switches import Switch
    from simulators.siem.store.verify import Fault
    from simulators.siem.wire import Record as Told

MOST = 1_000
"""Records of a batch."""
MOST_OCTETS = 8 << 20
LONGEST = 0.05
"""Seconds that a record waits for others."""
QUIET = 60.0
"""Seconds for which the repository does not tell the same of the same host again."""
MOST_BROKEN = 60
"""Of a host, in that time: what is no numbered message and is kept nevertheless."""
DAY_LONG = 86_400_000_000
"""Microseconds."""
PROGRAM = "pacslab-siem"
SWITCH = "switch-rule"
"""Action of the repository's own event that a rule is switched off for a while, or on again."""
PROOF = "verify-record"
"""Action of the repository's own event that a record is not as it was stored."""
UNJUDGED = "judge"
"""Action of what the repository tells where a rule fails."""


@dataclass
class State:
    """Where the store was left."""

    number: int = 0
    position: int = 0
    """Of the last record."""
    until: int = 0
    head: bytes = NOTHING
    progress: Progress = field(default_factory=Progress)


@dataclass
class _Said:
    until: float
    times: int = 0


class Ledger:
    """What has come, from its record to its batch; used by one thread."""

    def __init__(self, state: State, judge: Judge, sign: Callable[[bytes], bytes], host: str) -> None:
        """Go on where the store was left.

        Args:
            state: what is stored.
            judge: looks at each event.
            sign: makes a signature of a batch's head.
            host: short name of the repository's own host.
        """
        self._state, self._judge, self._sign, self._host = state, judge, sign, host
        self._pending = Pending()
        self._said: dict[tuple[str, str], _Said] = {}
        self.taken = self.repeated = self.refused = 0

    @property
    def position(self) -> int:
        """Of the last record."""
        return self._state.position

    @property
    def due(self) -> float | None:
        """When the batch is to be sealed, by the monotonic clock; None while there is nothing in it."""
        return self._pending.begun + LONGEST if self._pending.begun else None

    @property
    def full(self) -> bool:
        """Whether the batch is to be sealed at once."""
        return len(self._pending.leaves) >= MOST or self._pending.octets >= MOST_OCTETS

    def take(self, told: Told, host: str, place: Place) -> None:
        """Take a numbered message: an event, where it has `fields`, or what is kept apart."""
        try:
            new, late, gap = self._state.progress.take(host, told.run, told.number)
        except TooManyGapsError:
            self.tell("leave-out", host, "high", "it leaves out numbers again and again, and is not heard on")
            return
        self._begin()
        if new:
            self._store(told, host)
            self.taken += 1
            if late:
                self._pending.late.append(Late(host, told.run, told.number))
        else:
            self.repeated += 1
        self._pending.progress[host, told.run] = self._state.progress.last(host, told.run)
        answers, key = self._pending.answers, (place, told.run)
        answers[key] = max(answers.get(key, 0), told.number)
        if gap is not None:
            self._pending.gaps.append(gap)
            count = gap.last - gap.first + 1
            self.tell("miss", host, "high", f"{count} messages have not come before number {told.number} of its run")

    def take_broken(self, told: Told, host: str) -> None:
        """Take what is no numbered message: a part of it is kept, and it is told."""
        said = self._said.setdefault(("break", host), _Said(time.monotonic() + QUIET))
        if said.times < MOST_BROKEN:
            self._begin()
            text = _text(told.second).encode("utf-8")
            self._add(Record(REFUSED, self._next(), self._now(), host, NO_RUN, 0, told.first, text))
        self.tell("break", host, "high", f"it sends what is no numbered message: {_text(told.second)}")

    def _store(self, told: Told, host: str) -> None:
        if told.second[:1] == b"{":
            try:
                fields = _decode(told.second)
            except (msgspec.DecodeError, ValueError, RecursionError) as error:
                self._refuse(told, host, f"its fields cannot be read: {error}")
                return
            record = Record(EVENT, self._next(), self._now(), host, told.run, told.number, told.first, told.second)
            self._add(record, fields)
            self._judged(record, fields)
        else:
            self._refuse(told, host, _text(told.second))

    def _refuse(self, told: Told, host: str, reason: str) -> None:
        self.refused += 1
        text = reason.encode("utf-8")
        self._add(Record(REFUSED, self._next(), self._now(), host, told.run, told.number, told.first, text))
        self.tell("refuse", host, "medium", f"it sends what is no audit message: {reason}")

    def tell(self, action: str, host: str, level: str, message: str) -> None:
        """Store what the repository itself has to tell of a host, as an event and an alert, once in a while."""
        now = time.monotonic()
        said = self._said.get((action, host))
        if said is not None and said.times and now < said.until:
            said.times += 1
            return
        before = said.times - 1 if said is not None and said.times > 1 else 0
        self._said[action, host] = _Said(now + QUIET, 1)
        told = f"{message} ({before} times more in the minute before)" if before else message
        record, fields = self._own(action, host, told, {"event.kind": "alert", "event.outcome": "failure"})
        self._judged(record, fields)
        if action == UNJUDGED or isinstance(self._judge, NoRules):
            self._alert(Finding(f"repository.{action}", level, fields), record.host, record.position)

    def tick(self) -> None:
        """Have it judged what has not happened by now."""
        try:
            found = self._judge.tick(time.time())
        except Exception as error:  # noqa: BLE001 - what comes is stored all the same
            self.tell(UNJUDGED, self._host, "high", f"a detector failed: {error!r}")
            return
        for alert in found:
            self._begin()
            self._alert(finding(alert), self._host, alert.events[-1] if alert.events else 0)

    def drop(self, days: list[date]) -> None:
        """Store that days go, which they do afterwards: the proof has to know it."""
        for day in days:
            message = f"records of {day} go: they have been kept for as long as the policy says"
            self._own(DROP, self._host, message, {"event.kind": "event", "event.outcome": "success", DAY: str(day)})
            self._pending.drops.append(day)

    def tell_fault(self, fault: Fault) -> None:
        """Store that a record is not as it was stored: an event that rules judge like any other."""
        more = {"event.kind": "alert", "event.outcome": "failure", "event.reason": fault.kind}
        record, fields = self._own(PROOF, self._host, fault.says, more)
        self._judged(record, fields)
        if isinstance(self._judge, NoRules):
            self._alert(Finding(f"repository.{PROOF}", "critical", fields), record.host, record.position)

    def tell_switch(self, switch: Switch, state: str) -> None:
        """Store that a rule is switched off, or on again: an event that rules judge like any other.

        Args:
            switch: the rule, who switched it off and why.
            state: ``off`` or ``on``.
        """
        until = f", until {text_of(switch.until)} at the latest: {switch.why}" if state == "off" else ""
        message = f"rule {switch.rule} is switched {state}{until}"
        more = {"event.kind": "event", "event.outcome": "success", "pacslab.state": state}
        record, fields = self._own(
            SWITCH, self._host, message, {**more, "rule.name": switch.rule, "user.name": switch.by}
        )
        self._judged(record, fields)

    def _own(self, action: str, host: str, message: str, more: dict[str, Any]) -> tuple[Record, dict[str, Any]]:
        """Store an event of the repository itself."""
        self._begin()
        received = self._now()
        when = text_of(received / 1e6)
        fields: dict[str, Any] = {
            "@timestamp": when,
            "event.ingested": when,
            "event.dataset": "siem.self",
            "event.action": action,
            "event.provider": PROGRAM,
            "host.name": host,
            "message": message,
            **more,
        }
        record = Record(EVENT, self._next(), received, host, NO_RUN, 0, b"", rows.encoded(fields))
        self._add(record, fields)
        return record, fields

    def seal(self) -> Sealed | None:
        """Return what has come since the last time, None where nothing has."""
        pending, state = self._pending, self._state
        if not pending.begun:
            return None
        self._pending = Pending()
        if not pending.leaves:
            return Sealed(pending, None, b"")
        first = state.position - len(pending.leaves) + 1
        state.number += 1
        batch = Batch(
            state.number, first, len(pending.leaves), pending.since, pending.until, root_of(pending.leaves), state.head
        )
        state.head = batch.head
        return Sealed(pending, batch, self._sign(state.head))

    def _judged(self, record: Record, fields: dict[str, Any]) -> None:
        try:
            found = self._judge.judge(record.position, fields)
        except Exception as error:  # noqa: BLE001 - an event that a rule cannot look at is stored all the same
            if fields.get("event.action") != UNJUDGED:
                self.tell(UNJUDGED, self._host, "high", f"a rule failed at record {record.position}: {error!r}")
            return
        for alert in found:
            self._alert(finding(alert), record.host, record.position)

    def _alert(self, what: Finding, host: str, about: int) -> None:
        rule = rows.key(f"{what.level} {what.rule}").decode("utf-8")
        text = rows.encoded(what.fields)
        self._add(Record(ALERT, self._next(), self._now(), host, NO_RUN, about, b"", text, rule))

    def _begin(self) -> None:
        if not self._pending.begun:
            self._pending.begun = time.monotonic()

    def _next(self) -> int:
        self._state.position += 1
        return self._state.position

    def _now(self) -> int:
        self._state.until = max(self._state.until, time.time_ns() // 1000)
        return self._state.until

    def _add(self, record: Record, fields: dict[str, Any] | None = None) -> None:
        pending = self._pending
        if fields is not None:
            pending.events.append((record, fields))
        elif record.kind == REFUSED:
            pending.refused.append(record)
        else:
            pending.alerts.append(record)
        if not pending.messages or record.received // DAY_LONG > pending.messages[-1].received // DAY_LONG:
            pending.messages.append(Messages(record.position, record.received))
        pending.messages[-1].raw.append(record.raw if fields is not None else b"")
        pending.leaves.append(record.leaf())
        pending.octets += len(record.raw) + len(record.text)
        pending.since = pending.since or record.received
        pending.until = record.received


_decode: Callable[[bytes], dict[str, Any]] = msgspec.json.Decoder().decode


def _text(reason: bytes) -> str:
    return reason.decode("utf-8", "replace").replace("\0", " ")
