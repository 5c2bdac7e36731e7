"""What is put together for one transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.siem.core import ledger as module
from simulators.siem.core.finding import NoRules
from simulators.siem.core.ledger import Ledger, State
from simulators.siem.core.pending import Place
from simulators.siem.wire import Kind, Record

if TYPE_CHECKING:
    import pytest

RUN = b"r" * 16


def test_messages_of_two_days_are_kept_apart_since_days_go_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    midnight = int(datetime(2026, 1, 6, tzinfo=UTC).timestamp() * 1_000_000_000)
    ledger = Ledger(State(position=7), NoRules(), lambda head: head, "siem1")
    for number, moment in enumerate((midnight - 2_000, midnight - 1_000, midnight, midnight + 1_000), 1):
        monkeypatch.setattr(module.time, "time_ns", lambda moment=moment: moment)
        ledger.take(Record(Kind.EVENT, 1, number, RUN, b"m%d" % number, b'{"event.action": "x"}'), "ct1", Place(1, 1))
    sealed = ledger.seal()
    assert sealed is not None
    days = [(some.first, some.received * 1000, some.raw) for some in sealed.pending.messages]
    assert days == [(8, midnight - 2_000, [b"m1", b"m2"]), (10, midnight, [b"m3", b"m4"])]


def test_fields_that_are_none_are_kept_apart() -> None:
    for text in (b"{", b'{"a": NaN}', b'{"a": "\xff"}', b'{"a":' + b"[" * 100_000):
        ledger = Ledger(State(), NoRules(), lambda head: head, "siem1")
        ledger.take(Record(Kind.EVENT, 1, 1, RUN, b"m", text), "ct1", Place(1, 1))
        sealed = ledger.seal()
        assert sealed is not None
        assert [record.raw for record in sealed.pending.refused] == [b"m"]
