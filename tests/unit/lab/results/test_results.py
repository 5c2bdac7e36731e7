"""Results keep what was seen, the store loses nothing, and nothing skipped is reported as passed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from lab.errors import UsageError
from lab.results.junit import write_junit
from lab.results.manifest import Manifest
from lab.results.model import Observation, Outcome, Promise, Result, all_good, judged
from lab.results.store import Run, latest, prune, run_of, runs
from lab.state_file import parse_json

PROMISE = Promise("doors.closed", "Doors are closed.")


def result(outcome: Outcome = Outcome.PASSED, **rest: object) -> Result:
    return judged(PROMISE, "ct1", outcome, **{"expected": "closed", "observed": "closed", **rest})


def made_at(begun: float) -> Manifest:
    return Manifest("verify doors", "abc", True, "site", "d", "lab", None, {"ct1": "key"}, {}, {}, begun)  # noqa: FBT003


def kept(folder: Path, begun: float, *results: Result) -> Run:
    with Run(folder, "verify", made_at(begun)) as run:
        for entry in results:
            run.add(entry)
    return run


def test_a_result_is_read_as_it_was_written() -> None:
    seen = result(observations=(Observation("open\n\x1b[31m", "ls on ct1", 12.5),), facts={"port": 80}, reason="x")
    assert parse_json(Path("results.jsonl"), json.dumps(seen.as_dict()).encode(), Result, remedy="") == seen


@pytest.mark.parametrize(
    ("outcomes", "good"),
    [
        ([Outcome.PASSED], True),
        ([Outcome.PASSED, Outcome.SKIPPED, Outcome.NOT_APPLICABLE], True),
        ([Outcome.PASSED, Outcome.FAILED], False),
        ([Outcome.PASSED, Outcome.ERROR], False),
        ([Outcome.SKIPPED], False),
        ([Outcome.NOT_APPLICABLE], False),
        ([], False),
    ],
)
def test_only_something_judged_and_nothing_broken_is_good(outcomes: list[Outcome], good: bool) -> None:  # noqa: FBT001
    assert all_good([result(outcome) for outcome in outcomes]) is good


def test_a_run_is_found_again_with_its_manifest_results_and_summary(tmp_path: Path) -> None:
    run = kept(tmp_path, 1.0, result(), result(Outcome.FAILED, observed="open"))
    (found,) = runs(tmp_path)
    assert (found.id, found.manifest["commit"], found.manifest["images"]) == (run.id, "abc", {"ct1": "key"})
    assert [entry.outcome for entry in found.results()] == [Outcome.PASSED, Outcome.FAILED]
    assert found.summary is not None
    assert found.summary["passed"] is False
    assert found.ids == {PROMISE.id}
    assert "ids" not in found.as_dict()
    assert found.summary["counts"] == {"passed": 1, "failed": 1, "error": 0, "skipped": 0, "not applicable": 0}


def test_the_last_run_of_an_id_counts_and_a_partial_one_only_for_what_it_judged(tmp_path: Path) -> None:
    def found() -> dict[tuple[str, str], str]:
        return {(entry.host, entry.subject): entry.observed for entry in latest(tmp_path)[PROMISE.id][1]}

    def on(host: str, subject: str, observed: str) -> Result:
        return replace(result(observed=observed), host=host, subject=subject)

    kept(tmp_path, 1.0, on("ct1", "front", "old"), on("ct2", "front", "old"), on("ct2", "back", "old"))
    with Run(tmp_path, "verify", replace(made_at(2.0), hosts=("ct1", "ct2"))) as narrowed:
        narrowed.add(on("ct2", "back", "new"))
    assert found() == {("ct1", "front"): "old", ("ct2", "front"): "old", ("ct2", "back"): "new"}
    assert latest(tmp_path)[PROMISE.id][0].id == narrowed.id
    Run(tmp_path, "verify", made_at(2.5)).add(on("ct1", "front", "before it was killed"))
    assert found() == {
        ("ct1", "front"): "before it was killed",
        ("ct2", "front"): "old",
        ("ct2", "back"): "new",
    }
    kept(tmp_path, 3.0, on("ct1", "front", "newest"))
    assert found() == {("ct1", "front"): "newest"}


def test_a_run_that_was_killed_keeps_what_it_had_and_is_unfinished(tmp_path: Path) -> None:
    run = Run(tmp_path, "verify", made_at(1.0))
    run.add(result())
    with (run.folder / "results.jsonl").open("a") as file:
        file.write('{"id": "cut o')
    (found,) = runs(tmp_path)
    assert [entry.id for entry in found.results()] == [PROMISE.id]
    assert found.summary is None
    assert found.as_dict()["passed"] is None
    assert found.as_dict()["finished"] is False


def test_a_run_that_was_broken_off_has_no_summary(tmp_path: Path) -> None:
    def broken_off() -> None:
        with Run(tmp_path, "verify", made_at(1.0)) as run:
            run.add(result())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    assert runs(tmp_path)[0].summary is None


def test_runs_of_one_second_do_not_share_a_folder(tmp_path: Path) -> None:
    assert len({kept(tmp_path, 5.0, result()).id for _ in range(3)}) == 3


def test_the_oldest_runs_go_when_a_new_one_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACSLAB_KEEP_RUNS", "2")
    ids = [kept(tmp_path, float(moment), result()).id for moment in (10, 20, 30)]
    assert [run.id for run in runs(tmp_path)] == ids[1:]
    assert prune(tmp_path, keep=1) == [ids[1]]


@pytest.mark.parametrize("text", ["0", "-1", "many"])
def test_a_senseless_number_of_runs_is_refused_before_anything_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    kept(tmp_path, 1.0, result())
    monkeypatch.setenv("PACSLAB_KEEP_RUNS", text)
    with pytest.raises(UsageError, match="PACSLAB_KEEP_RUNS"):
        Run(tmp_path, "verify", made_at(2.0))
    assert len(runs(tmp_path)) == 1


def test_the_last_run_and_one_by_name_are_found_others_are_an_error_with_the_names(tmp_path: Path) -> None:
    first, second = (kept(tmp_path, float(moment), result()) for moment in (1, 2))
    assert run_of(tmp_path, "last").id == second.id
    assert run_of(tmp_path, first.id).id == first.id
    with pytest.raises(UsageError) as raised:
        run_of(tmp_path, "nothing")
    assert second.id in raised.value.remedy


def test_the_latest_results_of_an_id_are_those_of_its_last_run(tmp_path: Path) -> None:
    kept(tmp_path, 1.0, result(Outcome.FAILED), judged(Promise("old.one", "o"), "ct1", Outcome.PASSED))
    newer = kept(tmp_path, 2.0, result(), result(Outcome.FAILED))
    found = latest(tmp_path)
    assert found[PROMISE.id][0].id == newer.id
    assert [entry.outcome for entry in found[PROMISE.id][1]] == [Outcome.PASSED, Outcome.FAILED]
    assert set(found) == {PROMISE.id, "old.one"}


def test_junit_counts_each_outcome_and_never_a_skip_as_passed(tmp_path: Path) -> None:
    path = tmp_path / "out" / "results.xml"
    write_junit(
        path,
        "pacslab verify",
        [
            result(),
            result(Outcome.FAILED, observed="open \x1b[0m\x00", subject="port 80"),
            result(Outcome.ERROR, reason="no host"),
            result(Outcome.SKIPPED, reason="not wanted"),
            result(Outcome.NOT_APPLICABLE, reason="no door"),
        ],
    )
    (suite,) = ET.parse(path).getroot()  # noqa: S314 # written by the line above
    counts = {key: suite.get(key) for key in ("name", "tests", "failures", "errors", "skipped")}
    assert counts == {"name": "doors", "tests": "5", "failures": "1", "errors": "1", "skipped": "2"}
    kinds = [[child.tag for child in case] for case in suite]
    assert kinds == [[], ["failure"], ["error"], ["skipped"], ["skipped"]]
    assert suite[1].get("name") == "doors.closed [port 80]"
