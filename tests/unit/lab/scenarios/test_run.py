"""A scenario's steps run in order, and nothing that was not seen passes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from lab.errors import EngineError, UsageError
from lab.hospital.errors import HospitalError
from lab.results.model import Outcome
from lab.scenarios.failure import NothingToJudge, StepFailure, require
from lab.scenarios.run import has_passed, run_scenario
from lab.scenarios.stage import Stage
from tests.unit.lab.scenarios.trial import Facts, NoLab, Watcher, fails, finds, run, seen, step, trial, uses

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.hospital.hospital import Hospital
    from lab.results.model import Result

PASSED, FAILED, ERROR, SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED


def outcomes(results: list[Result]) -> list[Outcome]:
    return [result.outcome for result in results]


def stage() -> Stage[Facts]:
    return Stage(cast("Hospital", None), Facts())


def test_a_step_that_returns_what_it_saw_passes() -> None:
    (result,) = run(step("a", seen))
    assert (result.outcome, result.observed, result.host) == (PASSED, "seen", "ct1")
    assert result.id == "trial.a"
    assert result.promise == "Something is done: something."
    assert has_passed([result])


def test_a_step_that_fails_stops_those_that_need_it_and_no_others() -> None:
    results = run(step("a", fails), step("b", seen, "a"), step("c", seen))
    assert outcomes(results) == [FAILED, SKIPPED, PASSED]
    assert results[0].observed == "something else"
    assert "--only a" in results[0].remedy
    assert results[1].reason == "a did not pass"
    assert not has_passed(results)


def test_a_step_that_was_skipped_stops_those_that_need_it() -> None:
    results = run(step("a", fails), step("b", seen, "a"), step("c", seen, "b"))
    assert outcomes(results) == [FAILED, SKIPPED, SKIPPED]


def test_a_skipped_step_is_never_a_pass_of_the_scenario() -> None:
    results = run(step("a", fails), step("b", seen, "a"), step("c", seen))
    assert not has_passed(results[1:])
    assert not has_passed([])


@pytest.mark.parametrize("error", [KeyError("missing"), TypeError("none"), AttributeError("no such"), ValueError("x")])
def test_a_mistake_of_the_program_is_an_error_with_its_traceback_and_the_run_goes_on(error: Exception) -> None:
    def mistaken(_: Stage[Facts]) -> str:
        raise error

    first, second = run(step("a", mistaken), step("b", seen))
    assert (first.outcome, second.outcome) == (ERROR, PASSED)
    assert first.reason.startswith(f"a mistake of the program: {type(error).__name__}")
    (read,) = first.observations
    assert "Traceback" in read.text
    assert "mistaken" in read.text


def test_a_fact_that_no_step_has_found_out_is_a_mistake() -> None:
    (result,) = run(step("a", uses))
    assert result.outcome is ERROR
    assert "found" in result.reason


def test_a_system_that_does_not_answer_as_it_should_is_an_observation() -> None:
    def asks(_: Stage[Facts]) -> str:
        raise HospitalError("the RIS did not answer", remedy="See its log.")

    (result,) = run(step("a", asks))
    assert (result.outcome, result.observed) == (FAILED, "the RIS did not answer")
    assert result.remedy.startswith("See its log.")


def test_an_engine_that_does_not_work_is_an_error_and_no_observation() -> None:
    def asks(_: Stage[Facts]) -> str:
        raise EngineError("no Docker", remedy="Start it.")

    (result,) = run(step("a", asks))
    assert (result.outcome, result.reason, result.remedy) == (ERROR, "no Docker", "Start it.")


def test_a_step_without_anything_to_judge_does_not_apply_and_stops_those_that_need_it() -> None:
    def absent(_: Stage[Facts]) -> str:
        raise NothingToJudge("the site has none")

    results = run(step("a", absent), step("b", seen, "a"), step("c", seen))
    assert outcomes(results) == [Outcome.NOT_APPLICABLE, SKIPPED, PASSED]
    assert has_passed([results[0], results[2]])
    assert not has_passed(results[:1])


def test_a_step_says_which_of_several_hosts_acted() -> None:
    def settles(stage: Stage[Facts]) -> str:
        stage.acts("ct2")
        return "seen"

    results = run(step("a", settles), step("b", seen))
    assert [result.host for result in results] == ["ct2", "ct1"]


def test_facts_go_from_step_to_step() -> None:
    assert [result.observed for result in run(step("a", finds), step("b", uses, "a"))] == ["found it", "used it"]


def test_with_keep_going_what_needs_a_failed_step_is_tried() -> None:
    def finds_and_fails(stage: Stage[Facts]) -> str:
        stage.facts.found = "it"
        raise StepFailure("otherwise wrong")

    results = run(step("a", finds_and_fails), step("b", uses, "a"), step("c", uses, "b"), keep_going=True)
    assert outcomes(results) == [FAILED, PASSED, PASSED]
    assert not has_passed(results)


def test_with_keep_going_what_misses_a_fact_is_skipped_and_says_which() -> None:
    results = run(step("a", fails), step("b", uses, "a"), keep_going=True)
    assert outcomes(results) == [FAILED, SKIPPED]
    assert results[1].reason == "a did not pass, so there is no 'found'"


def test_results_come_one_by_one() -> None:
    watcher = Watcher()
    scenario = trial(step("a", seen), step("b", seen))
    results = run_scenario(scenario, scenario.steps, cast("Lab", NoLab()), watcher)
    assert watcher.told == []
    assert next(results).id == "trial.a"
    assert watcher.told == ["1/2 acquisition (CT) a"]


def test_a_site_that_the_scenario_is_not_for_is_refused_before_anything_runs() -> None:
    with pytest.raises(UsageError, match="ehr1 is order-placer"):
        run(step("a", seen), without=("order-placer",))


def test_what_is_waited_for_may_come_late_but_not_never() -> None:
    looks = iter([None, None, "there"])
    assert stage().eventually(lambda: next(looks), timeout=5, otherwise="never") == "there"
    with pytest.raises(StepFailure, match="never"):
        stage().eventually(lambda: None, timeout=0.1, otherwise="never")


def test_require_reports_what_was_observed() -> None:
    require(condition=True, observed="fine")
    with pytest.raises(StepFailure, match="two instead of three"):
        require(condition=False, observed="two instead of three")
