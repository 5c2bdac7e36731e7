"""While the core is at work it finds what was changed past it, tells it once, and again when it comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from simulators.siem.core import prover
from simulators.siem.core.prover import Prover
from simulators.siem.store.verify import verify_part
from tests.unit.simulators.siem.repository import Caller, numbered, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.simulators.siem.repository import Services

MESSAGES = 9


@pytest.fixture
def filled(services: Services) -> Services:
    """A repository with several batches of messages."""
    caller = Caller(services.edge)
    for number in range(1, MESSAGES + 1):
        caller.send(numbered(number))
        caller.acknowledged(number)
    caller.close()
    return services


def key(services: Services) -> bytes:
    return bytes.fromhex((services.folder / "signing.pub").read_text().strip())


def fault(services: Services, first: int, beyond: int) -> Any:
    with psycopg.connect(services.target, autocommit=True) as connection:
        found = verify_part(connection, key(services), range(first, beyond)).fault
    return found and (found.kind, found.position)


def batches(services: Services) -> int:
    return int(services.rows("SELECT max(number) FROM siem.batches")[0][0])


def test_every_part_of_a_store_that_is_as_it_was_is_proven(filled: Services) -> None:
    last = batches(filled)
    assert last > 3
    for first in range(1, last + 1):
        assert fault(filled, first, last + 1) is None
        assert fault(filled, first, first + 1) is None
    assert fault(filled, last + 1, last + 9) is None


ALTERED = {
    "a column": "UPDATE siem.events SET person = 'nobody' WHERE position = 5",
    "fields": """UPDATE siem.events SET fields = '{"user.name": "nobody"}' WHERE position = 5""",
    "its message": "UPDATE siem.messages SET raw = overlay(raw placing '7' from 9) WHERE first = 5",
    "how long its message is": "UPDATE siem.messages SET octets[1] = octets[1] - 1 WHERE first = 5",
    "its message is gone": "DELETE FROM siem.messages WHERE first = 5",
    "a record is gone": "DELETE FROM siem.events WHERE position = 5",
    "its time": "UPDATE siem.events SET received = received + interval '1 second' WHERE position = 5",
}


@pytest.mark.parametrize("statement", ALTERED.values(), ids=ALTERED)
def test_what_was_changed_is_found_in_its_part_and_in_no_other(filled: Services, statement: str) -> None:
    ((batch,),) = filled.rows("SELECT number FROM siem.batches WHERE first <= 5 AND first + count > 5")
    filled.alter(statement)
    found = fault(filled, batch, batch + 1)
    assert found is not None
    assert found[1] == 5
    assert fault(filled, batch + 1, batches(filled) + 1) is None


def test_a_batch_that_was_signed_by_another_is_found(filled: Services) -> None:
    filled.alter("UPDATE siem.batches SET signature = decode(repeat('00', 64), 'hex') WHERE number = 2")
    assert fault(filled, 2, 3) is not None
    assert fault(filled, 3, batches(filled) + 1) is None


@pytest.fixture
def proving(filled: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[Prover]:
    """A prover that takes two of the newest records and two others in a turn."""
    monkeypatch.setattr(prover, "NEWEST", 2)
    monkeypatch.setattr(prover, "IN_TURN", 2)
    proving = Prover(f"{filled.target} options='-c role=siem'", key(filled), pause=0.02)
    yield proving
    proving.stop()


def test_it_tells_once_of_an_old_record_and_again_when_it_comes_back(filled: Services, proving: Prover) -> None:
    told: list[int] = []

    def found() -> bool:
        told.extend(fault.position for fault in proving.found())
        return bool(told)

    filled.alter("UPDATE siem.events SET person = 'nobody' WHERE position = 2")
    wait_until(found, "nothing was found")
    filled.alter("UPDATE siem.events SET person = left(fields->>'user.name', 200) WHERE position = 2")
    filled.alter("UPDATE siem.events SET person = 'other' WHERE position = 3")
    told.clear()
    wait_until(found, "the next one was not found")
    assert told == [3]


def test_a_running_core_tells_it_as_an_alert(filled: Services) -> None:
    filled.alter("UPDATE siem.events SET person = 'nobody' WHERE position = 4")
    query = "SELECT rule, level, fields->>'event.reason' FROM siem.alerts"
    wait_until(lambda: filled.rows(query), "no alert")
    assert filled.rows(query) == [("repository.verify-record", "critical", "changed")]
