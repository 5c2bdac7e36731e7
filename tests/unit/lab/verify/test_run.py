"""Checks are found by being there; what breaks in one is a result, and the others go on."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.errors import EngineError, UsageError
from lab.results.model import ID, Outcome, Promise, judged
from lab.verify import checks as package
from lab.verify.check import Check, Context
from lab.verify.registry import checks, chosen
from lab.verify.run import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lab.engine.lab import Lab
    from lab.results.model import Result

DOORS = Promise("doors.closed", "Doors are closed.")
WINDOWS = Promise("doors.windows", "Windows are closed.")


def container(host: str) -> str:
    if host != "ct1":
        raise UsageError(f"no host {host}", remedy="none")
    return host


LAB = cast("Lab", SimpleNamespace(name="test", container=container))


def check(judge: Callable[[Context], Any], name: str = "doors") -> Check:
    return Check(name, "doors", (DOORS, WINDOWS), judge)


def closed(context: Context) -> Iterator[Result]:
    for promise in (DOORS, WINDOWS):
        if context.wants(promise):
            yield judged(promise, "ct1", Outcome.PASSED)


def outcomes(results: list[Result]) -> dict[str, Outcome]:
    return {result.id: result.outcome for result in results}


def context(*, hosts: tuple[str, ...] = (), ids: tuple[str, ...] = ()) -> Context:
    return Context(LAB, lambda _: None, frozenset(hosts), ids)


def test_every_module_of_the_folder_is_a_check_with_well_formed_promises() -> None:
    found = checks()
    modules = {path.stem for path in Path(package.__path__[0]).glob("[a-z]*.py")}
    assert len(found) == len(modules)
    ids = [promise.id for entry in found.values() for promise in (*entry.promises, entry.completes)]
    assert len(ids) == len(set(ids))
    assert [id_ for id_ in ids if not ID.match(id_)] == []
    assert all(id_.startswith(f"{entry.name}.") for entry in found.values() for id_ in (p.id for p in entry.promises))
    assert all(re.match(r"[A-Z].*\.$", promise.text) for entry in found.values() for promise in entry.promises)


def test_without_names_the_checks_that_leave_the_lab_as_it_is_are_chosen() -> None:
    assert {entry.name for entry in chosen([])} == {name for name, entry in checks().items() if not entry.changes_lab}
    with pytest.raises(UsageError) as raised:
        chosen(["segmentatoin"])
    assert "segmentation" in raised.value.remedy


def test_a_check_that_ends_well_says_so() -> None:
    found = outcomes(list(run_checks([check(closed)], context())))
    assert found == {DOORS.id: Outcome.PASSED, WINDOWS.id: Outcome.PASSED, "doors.completes": Outcome.PASSED}


def test_a_check_that_yields_nothing_is_not_passed() -> None:
    (only,) = run_checks([check(lambda _: ())], context())
    assert only.outcome is Outcome.NOT_APPLICABLE


def breaks(error: Exception) -> Callable[[Context], Iterator[Result]]:
    def judge(_: Context) -> Iterator[Result]:
        yield judged(DOORS, "ct1", Outcome.PASSED)
        raise error

    return judge


def test_an_error_of_a_check_is_a_result_with_its_remedy_and_the_next_check_runs() -> None:
    broken = check(breaks(EngineError("no probe", remedy="look there")), "broken")
    results = list(run_checks([broken, check(closed)], context()))
    found = outcomes(results)
    assert found["broken.completes"] is Outcome.ERROR
    assert found["doors.completes"] is Outcome.PASSED
    told = next(result for result in results if result.id == "broken.completes")
    assert (told.reason, told.remedy) == ("no probe", "look there")


def test_a_mistake_of_the_program_is_told_as_one_with_its_traceback() -> None:
    results = list(run_checks([check(breaks(KeyError("host")))], context()))
    told = results[-1]
    assert told.outcome is Outcome.ERROR
    assert "mistake of the program: KeyError" in told.reason
    assert "Traceback" in told.observations[0].text


def test_ids_choose_what_is_judged_and_an_id_that_is_nothing_is_refused() -> None:
    assert list(outcomes(list(run_checks([check(closed)], context(ids=("doors.win*",)))))) == [
        WINDOWS.id,
        "doors.completes",
    ]
    with pytest.raises(UsageError, match="roof"):
        list(run_checks([check(closed)], context(ids=("roof.*",))))


def test_a_host_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="ct9"):
        list(run_checks([check(closed)], context(hosts=("ct9",))))
