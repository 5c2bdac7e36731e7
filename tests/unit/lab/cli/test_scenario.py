"""What ``pacslab scenario`` prints, keeps and ends with."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.cli import scenario as verb
from lab.cli.main import build_parser
from lab.errors import UsageError
from lab.results import manifest
from lab.results.store import runs
from lab.scenarios import registry
from tests.unit.lab.scenarios.trial import NoLab, fails, seen, step, trial

if TYPE_CHECKING:
    from pathlib import Path

    from lab.scenarios.model import Scenario


CIRCUMSTANCES = {"commit": "", "clean": None, "site": "reference", "lab": "reference"}


@pytest.fixture
def known() -> dict[str, Scenario[Any]]:
    """The scenarios that there are."""
    return {"trial": trial(step("a", seen), step("b", seen, "a"), step("c", seen))}


@pytest.fixture(autouse=True)
def folder(known: dict[str, Scenario[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a lab that has a site only."""
    lab = SimpleNamespace(site=NoLab.site, folder=tmp_path, name="reference")
    monkeypatch.setattr(verb.Lab, "open", lambda _: lab)
    monkeypatch.setattr(registry, "scenarios", lambda: known)
    monkeypatch.setattr(
        manifest,
        "manifest",
        lambda _lab, words, begun, _hosts, **_: SimpleNamespace(
            begun=begun, as_dict=lambda: {"verb": words, "begun": begun, **CIRCUMSTANCES}
        ),
    )
    return tmp_path


def run(*words: str) -> int:
    arguments = build_parser("scenario", verb).parse_args(words)
    arguments.lab = arguments.lab or "reference"
    return verb.run(arguments)


def test_a_named_scenario_is_one_object_with_the_promised_keys(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("run", "trial", "--json") == 0
    printed = capsys.readouterr()
    result = json.loads(printed.out)
    assert list(result)[:3] == ["scenario", "passed", "steps"]
    assert list(result["steps"][0])[:9] == [
        "id", "title", "host", "transaction", "controls", "expected", "observed", "passed", "seconds",
    ]  # fmt: skip
    assert (result["passed"], result["complete"], result["counts"]["passed"]) == (True, True, 3)
    (kept,) = runs(folder)
    assert kept.id == result["run"]
    assert [line.split()[1] for line in printed.err.splitlines()] == ["a", "b", "c"]


def test_without_a_name_it_is_a_list_of_what_the_site_is_for(
    known: dict[str, Scenario[Any]], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known["other"] = trial(step("x", fails))
    assert run("run", "--json", "--junit", str(folder / "all.xml")) == 1
    assert [len(result["steps"]) for result in json.loads(capsys.readouterr().out)] == [3, 1]
    (kept,) = runs(folder)
    assert len(list(kept.results())) == 4
    assert (folder / "all.xml").read_text("utf-8").count("<testcase") == 4


def test_a_part_of_a_scenario_is_told_as_a_part(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("run", "trial", "--only", "b") == 0
    assert "trial (2 of its 3 steps) passed" in capsys.readouterr().out
    assert runs(folder)[0].manifest["verb"] == "scenario trial --only b"


def test_a_step_that_failed_ends_with_1_and_tells_what_was_observed(
    known: dict[str, Scenario[Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    known["trial"] = trial(step("a", fails), step("b", seen, "a"))
    assert run("run", "trial") == 1
    said = capsys.readouterr().err
    assert "observed something else" in said
    assert "a did not pass" in said


@pytest.mark.parametrize("words", [("trial", "--only", "z"), ("trial", "--until", "z"), ("none",), ("--only", "a")])
def test_what_cannot_be_run_is_refused_before_a_run_begins(folder: Path, words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run("run", *words)
    assert runs(folder) == []


def test_steps_are_listed_without_a_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("steps", "trial", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["result"], row["needs"]) for row in rows] == [
        ("a", "trial.a", []),
        ("b", "trial.b", ["a"]),
        ("c", "trial.c", []),
    ]
    assert run("steps", "trial") == 0
    assert "needs a" in capsys.readouterr().out
