"""A night goes on after a part that failed, clears up behind it, and says what it came to."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab.cli.main import VERBS
from lab.settings import ROOT
from lab.topology.load import site_names
from tests.night import __main__ as night
from tests.night.parts import Part, parts

if TYPE_CHECKING:
    from pathlib import Path


GOOD, BAD = ("true",), ("false",)


def test_a_part_passes_when_all_of_its_commands_do(tmp_path: Path) -> None:
    ran = night.run_part(Part("fine", (("sh", "-c", "echo said"), GOOD)), tmp_path)
    assert ran.failed == ""
    assert (tmp_path / "fine.log").read_text() == "\n$ sh -c echo said\nsaid\n\n$ true\n"


def test_a_part_ends_with_its_first_failure_and_still_clears_up(tmp_path: Path) -> None:
    later, cleared = tmp_path / "later", tmp_path / "cleared"
    part = Part("sad part", (BAD, ("touch", str(later))), (("touch", str(cleared)),))
    assert night.run_part(part, tmp_path).failed == "false"
    assert not later.exists()
    assert cleared.exists()


def test_clearing_up_that_fails_fails_the_part(tmp_path: Path) -> None:
    assert night.run_part(Part("left", (GOOD,), (BAD,)), tmp_path).failed == "false"


def test_the_table_names_each_part_its_outcome_and_the_command_that_failed() -> None:
    text = night.table([night.Ran("one", "", 90, "x"), night.Ran("two", "make lint", 6, "y")])
    assert [line.split() for line in text.splitlines()] == [
        ["PART", "OUTCOME", "MINUTES"],
        ["one", "passed", "1.5"],
        ["two", "FAILED", "0.1", "make", "lint"],
    ]


def test_every_part_runs_whatever_came_before_and_one_failure_fails_the_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(night, "ROOT", tmp_path)
    monkeypatch.setattr(night, "parts", lambda: [Part("first", (BAD,)), Part("second", (GOOD,))])
    assert night.main([]) == 1
    assert "second  passed" in capsys.readouterr().out
    assert night.main(["second"]) == 0
    assert night.main(["third"]) == 2


def test_the_night_has_every_site_and_only_verbs_that_exist() -> None:
    known = parts()
    names = [part.name for part in known]
    assert len(names) == len(set(names))
    assert {f"site {site}" for site in site_names()} <= set(names)
    commands = [command for part in known for command in (*part.commands, *part.always)]
    assert {command[1] for command in commands if command[0] == "pacslab"} <= set(VERBS)


@pytest.mark.parametrize(
    ("site", "used"), [("reference", True), ("small-practice", True), ("third-party-devices", False)]
)
def test_a_site_is_used_where_a_scenario_is_for_it(site: str, used: bool) -> None:  # noqa: FBT001 # a parameter of the test
    (part,) = (part for part in parts() if part.name == f"site {site}")
    assert any(command[1:3] == ("scenario", "run") for command in part.commands) == used
    assert [command[1] for command in part.commands if command[1] != "scenario"] == ["up", "verify"]


def test_its_lab_tests_are_all_there_are() -> None:
    (words,) = next(part.commands for part in parts() if part.name == "lab tests")
    (marks,) = [word.partition("=")[2] for word in words if word.startswith("LAB_TESTS=")]
    argv = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-m", marks, "tests/lab"]
    told = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip().splitlines()[-1]
    assert re.match(r"\d+ tests collected in", told), told
