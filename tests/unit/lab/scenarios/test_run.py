"""A scenario's steps run in order, and nothing that was not seen passes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import pytest

from lab.errors import UsageError
from lab.scenarios.failure import StepFailure
from lab.scenarios.model import Scenario, ScenarioResult, Step, StepResult, check_steps
from lab.scenarios.run import keep, run_scenario
from lab.scenarios.stage import Stage, require
from tests.unit.lab.verify.sites import small_site

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lab.engine.lab import Lab


class Silent:
    """Watches a run and remembers what it was told."""

    def __init__(self) -> None:
        """Nothing was told yet."""
        self.told: list[str] = []

    def step_started(self, step: Step, host: str, number: int, count: int) -> None:
        """Remember that a step began."""
        self.told.append(f"{number}/{count} {host} {step.id}")

    def step_ended(self, result: StepResult) -> None:
        """Remember how a step ended."""
        self.told.append(f"{result.step.id} {result.passed}")


class NoLab:
    """A lab of which only the site is asked."""

    site = small_site()


def step(name: str, act: Callable[[Stage], str], *needs: str) -> Step:
    return Step(name, "Title", "ct1", "RAD-8", ("PR.DS-2",), "something", act, needs)


def run(*steps: Step, roles: tuple[str, ...] = ()) -> ScenarioResult:
    scenario = Scenario("trial", "Trial", "Summary", roles, lambda _: steps)
    return run_scenario(scenario, cast("Lab", NoLab()), Silent())


def fails(_: Stage) -> str:
    raise StepFailure("something else")


def test_a_step_that_returns_what_it_saw_passes() -> None:
    result = run(step("a", lambda _: "seen"))
    assert result.passed
    assert result.steps[0].observed == "seen"


def test_a_step_that_fails_stops_those_that_need_it_and_no_others() -> None:
    result = run(step("a", fails), step("b", lambda _: "seen", "a"), step("c", lambda _: "seen"))
    assert [one.passed for one in result.steps] == [False, False, True]
    assert result.steps[1].observed == "not run: a did not pass"
    assert not result.passed


def test_a_step_that_was_not_run_stops_those_that_need_it() -> None:
    result = run(step("a", fails), step("b", lambda _: "seen", "a"), step("c", lambda _: "seen", "b"))
    assert [one.passed for one in result.steps] == [False, False, False]


def test_an_answer_of_another_form_fails_the_step_and_not_the_run() -> None:
    result = run(step("a", lambda stage: str(stage.facts["missing"])), step("b", lambda _: "seen"))
    assert [one.passed for one in result.steps] == [False, True]
    assert "missing" in result.steps[0].observed


def test_the_host_may_be_settled_by_an_earlier_step() -> None:
    def settle(stage: Stage) -> str:
        stage.facts["station"] = "ct2"
        return "seen"

    later = Step("b", "t", lambda stage: stage.facts.get("station", "ct1"), "t", ("PR.DS-2",), "e", lambda _: "seen")
    result = run(step("a", settle), later)
    assert result.steps[1].host == "ct2"


def test_a_scenario_without_steps_has_not_passed() -> None:
    assert not ScenarioResult("trial", ()).passed


def test_a_site_without_the_roles_is_refused_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="no_such_role"):
        run(step("a", lambda _: "seen"), roles=("no_such_role",))


def test_ids_are_unique_needs_are_earlier_and_controls_are_of_the_framework() -> None:
    good = step("a", fails)
    with pytest.raises(UsageError, match="more than once"):
        check_steps((good, good))
    with pytest.raises(UsageError, match="needs b"):
        check_steps((step("a", fails, "b"), step("b", fails)))
    with pytest.raises(UsageError, match="no control"):
        check_steps((Step("a", "t", "h", "t", (), "e", fails),))
    with pytest.raises(UsageError, match="AC-4"):
        check_steps((Step("a", "t", "h", "t", ("AC-4",), "e", fails),))


def test_the_record_of_a_run_is_kept_in_the_form_that_is_printed(tmp_path: Path) -> None:
    result = run(step("a", fails))
    path = keep(result, tmp_path, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert path.name == "20260102T030405Z-trial.json"
    kept = json.loads(path.read_text("utf-8"))
    assert kept.pop("begun") == "2026-01-02T03:04:05+00:00"
    assert kept == result.as_dict()
    keys = ["id", "title", "host", "transaction", "controls", "expected", "observed", "passed", "seconds"]
    assert list(kept["steps"][0]) == keys


def test_what_is_waited_for_may_come_late_but_not_never() -> None:
    stage = Stage(cast("Lab", NoLab()))
    looks = iter([None, None, "there"])
    assert stage.eventually(lambda: next(looks), timeout=5, otherwise="never") == "there"
    with pytest.raises(StepFailure, match="never"):
        stage.eventually(lambda: None, timeout=0.1, otherwise="never")


def test_require_reports_what_was_observed() -> None:
    require(condition=True, observed="fine")
    with pytest.raises(StepFailure, match="two instead of three"):
        require(condition=False, observed="two instead of three")
