"""A change counts as caught when exactly the foreseen results fail, and everything is as it was afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest

from lab.errors import EngineError
from lab.results.model import Outcome, Promise, judged
from lab.topology.load import sites_with_every_role
from lab.verify.check import Check
from lab.verify.mutation import Mutation
from lab.verify.sabotage import run
from lab.verify.sabotage.lint import unproven
from lab.verify.sabotage.prove import prove_on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.verify.check import Context

DOOR, WINDOW = Promise("house.door", "The door is closed."), Promise("house.window", "The window is closed.")


class House:
    """A lab with one host, on which things can be opened."""

    def __init__(self) -> None:
        """Everything is closed."""
        self.open: set[str] = set()
        self.name, self.site = "house", None

    def container(self, host: str) -> str:
        """The host is called h."""
        assert host == "h"
        return host


def judge(context: Context) -> Iterator[Result]:
    house = cast("House", context.lab)
    for promise in (DOOR, WINDOW):
        if context.wants(promise):
            is_open = promise.id in house.open
            yield judged(promise, "h", Outcome.FAILED if is_open else Outcome.PASSED)


def opening(*ids: str, undo: bool = True) -> Callable[[Lab], Callable[[], None]]:
    def make(lab: Lab) -> Callable[[], None]:
        house = cast("House", lab)
        house.open |= set(ids)
        return house.open.clear if undo else (lambda: None)

    return make


CHANGE = Mutation("house.door", "h", "", opening("house.door"), judged=("house.*",), hosts=("h",))


def tried(change: Mutation, house: House | None = None) -> run.Report:
    check = Check("house", "a house", (DOOR, WINDOW), judge, mutations=lambda _: [change])
    return prove_on(cast("Lab", house or House()), [check], (), lambda _: None)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "PAUSE", 0.0)
    monkeypatch.setattr(run, "CLEAN_WITHIN", 0.05)


def test_a_change_that_is_seen_is_caught() -> None:
    report = tried(CHANGE)
    assert report.passed
    assert {key: report.as_dict()[key] for key in ("mutations", "caught", "missed")} == {
        "mutations": 1, "caught": 1, "missed": []
    }  # fmt: skip


def test_a_change_that_nobody_sees_is_missed() -> None:
    report = tried(replace(CHANGE, make=opening()))
    assert not report.passed
    assert report.as_dict()["missed"] == ["house.door"]
    assert "nothing of it" in report.missed[0].why


def test_what_else_fails_has_to_be_foreseen() -> None:
    both = replace(CHANGE, make=opening("house.door", "house.window"))
    assert tried(both).missed[0].unforeseen == ("house.window",)
    assert tried(replace(both, also=("house.w*",))).passed


def test_the_right_result_has_to_fail_on_the_right_subject() -> None:
    assert tried(replace(CHANGE, subject="back")).missed
    assert tried(replace(CHANGE, make=opening("house.window"), also=("house.window",))).missed


def test_a_change_that_stays_is_told() -> None:
    report = tried(replace(CHANGE, make=opening("house.door", undo=False)))
    assert "undone, and still" in report.missed[0].why
    assert report.unclean


def test_a_lab_that_is_not_clean_before_proves_nothing() -> None:
    house = House()
    house.open.add("house.window")
    report = tried(CHANGE, house)
    assert (report.trials, len(report.unclean), report.passed) == ([], 1, False)


def test_a_change_that_cannot_be_made_is_missed_with_its_reason() -> None:
    def cannot(_: Lab) -> Callable[[], None]:
        raise EngineError("no ladder", remedy="none")

    assert "no ladder" in tried(replace(CHANGE, make=cannot)).missed[0].why


def test_every_promise_of_every_check_has_a_change_that_it_must_catch() -> None:
    assert unproven(sites_with_every_role()) == []
