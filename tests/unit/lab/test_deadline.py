"""Deadlines: how long is left, and what is seen last."""

from __future__ import annotations

import pytest

from lab.deadline import Deadline, wait_until
from simulators.deadline import Deadline as OnHosts
from tests.unit.clock import Clock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.install(monkeypatch)


@pytest.mark.parametrize("kind", [Deadline, OnHosts])
def test_what_is_left_becomes_less_and_ends_at_nothing(clock: Clock, kind: type[Deadline | OnHosts]) -> None:
    deadline = kind(2)
    assert (deadline.left, deadline.over) == (2, False)
    clock.now += 1.5
    assert (deadline.left, deadline.over) == (0.5, False)
    clock.now += 3
    assert (deadline.left, deadline.over) == (0, True)


@pytest.mark.parametrize("kind", [Deadline, OnHosts])
def test_a_pause_ends_with_the_time(clock: Clock, kind: type[Deadline | OnHosts]) -> None:
    deadline = kind(1)
    deadline.pause(0.75)
    deadline.pause(0.75)
    assert clock.slept == [0.75, 0.25]
    assert deadline.over


def test_waiting_ends_with_what_was_waited_for(clock: Clock) -> None:
    answers = iter(["", "", "there"])
    assert wait_until(lambda: next(answers), seconds=10, pause=1) == "there"
    assert clock.slept == [1, 1]


def test_waiting_in_vain_returns_what_was_seen_last(clock: Clock) -> None:
    assert wait_until(list, seconds=3, pause=1) == []
    assert sum(clock.slept) == 3


def test_what_comes_in_the_last_moment_is_seen(clock: Clock) -> None:
    assert wait_until(lambda: clock.now >= 103, seconds=3, pause=2) is True


def test_without_time_there_is_one_look(clock: Clock) -> None:
    looks: list[int] = []
    assert wait_until(lambda: looks.append(1), seconds=0, pause=1) is None
    assert looks == [1]
    assert clock.slept == [0] * len(clock.slept)
