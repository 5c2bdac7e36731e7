"""What the judge remembers outlives a restart, and knows of no event that is not in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulators.siem.behaviour.detector import Behaviour
from simulators.siem.core.memory import EVERY, NAMES, Memory
from simulators.siem.judge.judge import Judge
from simulators.siem.normalise.lines import of_line
from simulators.siem.normalise.moment import text_of
from simulators.siem.sigma.read import load
from simulators.siem.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.siem.fields import Fields


def refused(number: int) -> Fields:
    """A sign-on that fails: five of one person are an alert."""
    time = text_of(1767604364.0 + number)
    data = {"time": time, "action": "sign-in", "outcome": "refused", "reason": "wrong-password", "person": "a.rivera"}
    return of_line({"time": time, "received": time, "host": "idp1", "program": "pacslab-sign-on", "data": data})


EVENTS = {number: refused(number) for number in range(1, 6)}


def judge() -> Judge:
    return Judge(load(), [Behaviour(Site())])


def stored_after(position: int) -> Iterator[tuple[int, Fields]]:
    return ((number, event) for number, event in EVENTS.items() if position < number < 5)


def nothing(_position: int) -> Iterator[tuple[int, Fields]]:
    return iter(())


def alerts_at_the_fifth(rules: Judge) -> list[Any]:
    return [one for one in rules.judge(5, EVENTS[5]) if one.file == "sign-ons-failed"]


def test_events_after_the_snapshot_are_told_again(tmp_path: Path) -> None:
    first, second = judge(), judge()
    for number in (1, 2):
        first.judge(number, EVENTS[number])
    assert Memory(tmp_path, first).keep(2, 100.0)
    assert Memory(tmp_path, second).recall(4, stored_after) == 2
    (one,) = alerts_at_the_fifth(second)
    assert one.events == (1, 2, 3, 4, 5)
    assert (one.level, dict(one.subject)) == ("high", {"host.name": "idp1", "user.name": "a.rivera"})


def test_without_a_snapshot_the_store_tells_all(tmp_path: Path) -> None:
    rules = judge()
    assert Memory(tmp_path, rules).recall(4, stored_after) == 4
    assert alerts_at_the_fifth(rules)


def test_a_snapshot_of_what_was_never_stored_is_passed_over(tmp_path: Path) -> None:
    first, second, third = judge(), judge(), judge()
    memory = Memory(tmp_path, first)
    first.judge(1, EVENTS[1])
    memory.keep(1, 100.0)
    for number in (2, 3, 4):
        first.judge(number, EVENTS[number])
    memory.keep(4, 100.0 + EVERY)
    Memory(tmp_path, second).recall(1, nothing)  # the host failed when one record was stored
    assert not alerts_at_the_fifth(second)
    Memory(tmp_path, third).recall(4, nothing)
    assert alerts_at_the_fifth(third)


def test_it_is_written_once_in_a_while(tmp_path: Path) -> None:
    memory = Memory(tmp_path, judge())
    assert [memory.keep(1, now) for now in (10.0, 11.0, 9.0 + EVERY, 10.0 + EVERY)] == [True, False, False, True]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(NAMES)


def test_a_file_that_is_none_is_passed_over(tmp_path: Path) -> None:
    for text in ("", "[]", '{"position": "1", "judge": {}}', '{"position": 1}'):
        (tmp_path / NAMES[0]).write_text(text, "utf-8")
        assert Memory(tmp_path, judge()).recall(4, stored_after) == 4
