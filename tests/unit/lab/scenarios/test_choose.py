"""A run starts anywhere: with one step and what it needs, or until one."""

from __future__ import annotations

import pytest

from lab.errors import UsageError
from lab.scenarios.choose import chosen
from tests.unit.lab.scenarios.trial import seen, step, trial

SCENARIO = trial(
    step("register", seen),
    step("order", seen, "register"),
    step("other", seen),
    step("store", seen, "order"),
    step("read", seen, "store", "other"),
)


def ids(**choice: object) -> list[str]:
    return [step.id for step in chosen(SCENARIO, **choice)]  # type: ignore[arg-type] # the tests name the arguments


def test_without_a_choice_all_steps_are_run() -> None:
    assert ids() == ["register", "order", "other", "store", "read"]


def test_one_step_comes_with_what_it_needs_and_what_that_needs() -> None:
    assert ids(only=["store"]) == ["register", "order", "store"]


def test_several_steps_come_in_the_scenarios_order_whichever_was_named_first() -> None:
    assert ids(only=["other", "order"]) == ["register", "order", "other"]


def test_until_a_step_is_everything_up_to_it() -> None:
    assert ids(until="other") == ["register", "order", "other"]


def test_a_step_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="no step 'stor'") as caught:
        ids(only=["stor"])
    assert "register, order, other, store, read" in caught.value.remedy
    with pytest.raises(UsageError, match="no step 'end'"):
        ids(until="end")


def test_only_and_until_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="together"):
        ids(only=["store"], until="read")
