"""The map of controls holds together; whatever can be wrong with it is reported with file, line and remedy."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab.controls.lint import Subject, no_program_names_a_control
from lab.controls.load import FOLDER, load_map
from lab.controls.promises import Kind, Promised, promises
from lab.settings import ROOT
from tests.unit.lab.controls.maps import change, copied, found

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.topology.problems import Problem

SUBCATEGORIES = 41


@pytest.fixture(scope="module")
def known() -> Mapping[str, Promised]:
    """Everything that can be judged."""
    return promises()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the project's map."""
    return copied(tmp_path)


def the_one(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    assert problems[0].remedy
    return problems[0]


def test_the_map_of_the_project_has_no_mistake(known: Mapping[str, Promised]) -> None:
    assert found(FOLDER, known) == []


def test_the_map_has_every_row_of_the_published_table() -> None:
    controls = load_map()
    rows = [place.row for place in controls.places()]
    assert len(rows) == SUBCATEGORIES + 1
    assert set(rows) == set(controls.rows)


def test_the_linter_as_a_command_ends_with_0_when_nothing_is_wrong() -> None:
    done = subprocess.run([sys.executable, "-m", "lab.controls"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_row_without_its_file_is_missed(folder: Path, known: Mapping[str, Promised]) -> None:
    (folder / "rows" / "RS.IM-2.yml").unlink()
    problems = found(folder, known)
    table = [problem for problem in problems if problem.path.name == "table.yml"]
    assert "RS.IM-2 has no file" in the_one(table).message
    assert "rows: [RS.IM-1, RS.IM-2]" in (folder / "table.yml").read_text("utf-8").splitlines()[table[0].line - 1]


def test_a_file_that_is_no_row_of_the_table_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    (folder / "rows" / "RS.IM-1.yml").rename(folder / "rows" / "RS.IM-9.yml")
    messages = [problem.message for problem in found(folder, known)]
    assert "RS.IM-1 has no file." in messages
    assert "RS.IM-9 is no row of the table." in messages


@pytest.mark.parametrize("key", ["status", "not_covered", "hipaa", "subcategory"])
def test_a_row_without_a_key_that_it_needs_is_reported(folder: Path, known: Mapping[str, Promised], key: str) -> None:
    change(folder / "rows" / "RS.IM-2.yml", f"\n{key}: ", f"\nx-{key}: ")
    assert any(f"{key} is missing" in problem.message for problem in found(folder, known))


def test_a_row_with_an_empty_not_covered_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    path = folder / "rows" / "RS.IM-2.yml"
    text = path.read_text("utf-8")
    path.write_text(text[: text.index("not_covered")] + "not_covered: ''\n", "utf-8")
    problem = the_one(found(folder, known))
    assert (problem.path.name, "not_covered" in problem.message) == ("RS.IM-2.yml", True)
    assert problem.line == len(path.read_text("utf-8").splitlines())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[CP-2, IR-4, IR-8]", "[CP-2, IR4]"),
        ("[DTBK]", "[dtbk]"),
        ("164.308(a)(8)", "164.312€"),
        ("status: open", "status: done"),
        ("iso_27001: []", "iso_27001: [A.16]"),
    ],
)
def test_what_cannot_stand_in_a_column_is_reported_on_its_line(
    folder: Path, known: Mapping[str, Promised], old: str, new: str
) -> None:
    path = folder / "rows" / "RS.IM-2.yml"
    line = change(path, old, new)
    problem = the_one(found(folder, known))
    assert (problem.path, problem.line) == (path, line)


def test_an_unknown_capability_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    line = change(folder / "rows" / "RS.IM-2.yml", "[DTBK]", "[DTBX]")
    problem = the_one(found(folder, known))
    assert (problem.line, problem.message) == (line, "There is no capability DTBX.")
    assert "DTBK" in problem.remedy


def test_evidence_that_nothing_yields_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    line = change(folder / "rows" / "PR.AC-5.yml", "  - segmentation.*", "  - segmentation.undeclarred")
    problem = the_one(found(folder, known))
    assert (problem.path.name, problem.line) == ("PR.AC-5.yml", line)
    assert "segmentation.undeclared" in problem.remedy


def test_a_pattern_that_covers_nothing_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    change(folder / "rows" / "PR.AC-5.yml", "  - segmentation.*", "  - segregation.*")
    assert "segregation.*" in the_one(found(folder, known)).message


def test_a_result_that_no_row_claims_is_reported_where_it_is_promised(
    folder: Path, known: Mapping[str, Promised]
) -> None:
    check = ROOT / "lab" / "verify" / "checks" / "containment.py"
    new = Promised("containment.moon", "No host reaches the moon.", Kind.CHECK, (check,), "containment.machine")
    line = next(n for n, text in enumerate(check.read_text("utf-8").splitlines(), 1) if '"containment.machine"' in text)
    change(folder / "rows" / "PR.DS-5.yml", "  - containment.*", "  - containment.beside\n  - containment.strangers")
    problem = the_one(found(folder, {**known, new.id: new}))
    assert (problem.path, problem.line) == (check, line)
    assert "containment.moon" in problem.message


def test_that_a_check_runs_to_its_end_need_not_be_claimed(folder: Path, known: Mapping[str, Promised]) -> None:
    end = replace(known["containment.completes"], id="other.completes")
    assert found(folder, {**known, end.id: end}) == []


def test_a_file_of_evidence_claims_for_a_row(folder: Path, known: Mapping[str, Promised]) -> None:
    new = replace(known["containment.machine"], id="other.promise")
    (folder / "evidence").mkdir(exist_ok=True)
    path = folder / "evidence" / "other.yml"
    path.write_text("supports:\n  PR.AC-5: [other.promise]\n", "utf-8")
    assert found(folder, {**known, new.id: new}) == []
    assert load_map(folder).rows_of("other.promise") == ("PR.AC-5",)
    path.write_text("supports:\n  PR.AC-55: [other.promise]\n", "utf-8")
    problem = the_one(found(folder, {**known, new.id: new}))
    assert (problem.line, problem.message) == (2, "PR.AC-55 is no row of the map.")


def test_a_result_that_is_named_twice_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    change(folder / "rows" / "PR.AC-5.yml", "  - segmentation.*", "  - segmentation.*\n  - segmentation.declared")
    assert "segmentation.declared already, as segmentation.*" in the_one(found(folder, known)).message
    change(folder / "rows" / "PR.AC-5.yml", "  - segmentation.declared", "  - segmentation.*")
    assert "segmentation.* already" in the_one(found(folder, known)).message


def test_a_document_that_is_not_there_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    line = change(folder / "rows" / "PR.AC-1.yml", "  - docs/pki.md", "  - docs/pkix.md")
    problem = the_one(found(folder, known))
    assert (problem.line, problem.message) == (line, "There is no document docs/pkix.md.")


def test_a_document_beside_the_project_is_none(folder: Path, known: Mapping[str, Promised]) -> None:
    change(folder / "rows" / "PR.AC-1.yml", "  - docs/pki.md", "  - ../../../etc/hosts")
    assert "no document" in the_one(found(folder, known)).message


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (("RS.IM-2", "status: open", "status: automated\ncovered: Everything."), "names no result"),
        (("PR.AC-5", "status: automated", "status: manual"), "names results"),
        (("RS.IM-2", "status: open", "status: manual\ncovered: Something."), "names no document"),
        (("RS.IM-2", "status: open", "status: open\ncovered: Something."), "says that something is there"),
    ],
)
def test_a_status_that_does_not_fit_is_reported(
    folder: Path, known: Mapping[str, Promised], spoilt: tuple[str, str, str], message: str
) -> None:
    row, old, new = spoilt
    change(folder / "rows" / f"{row}.yml", old, new)
    assert message in the_one(found(folder, known)).message


def test_a_row_that_does_not_say_what_is_covered_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    path = folder / "rows" / "PR.AC-2.yml"
    text = path.read_text("utf-8")
    path.write_text(text[: text.index("covered:")] + text[text.index("not_covered:") :], "utf-8")
    assert "does not say what is covered" in the_one(found(folder, known)).message


def test_an_id_that_was_retired_may_not_come_back(folder: Path, known: Mapping[str, Promised]) -> None:
    retired = folder / "retired-ids.yml"
    retired.write_text(
        "retired:\n  - {id: containment.machine, since: 2026-01-31, why: It is tried elsewhere.}\n", "utf-8"
    )
    problem = the_one(found(folder, known))
    assert problem.path.name == "containment.py"
    assert "containment.machine was used before: controls/retired-ids.yml, line 2" in problem.message


def test_an_id_is_retired_once(folder: Path, known: Mapping[str, Promised]) -> None:
    entry = "  - {id: was.used, since: 2026-01-31, why: It went.}\n"
    (folder / "retired-ids.yml").write_text(f"retired:\n{entry}{entry}", "utf-8")
    assert the_one(found(folder, known)).line == 3


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (("PR.PT-1", "[AU]", "[AC-4, AC-17, AC-18, CP-8, SC-7]"), "AU does not stand there"),
        (("PR.PT-1", "[AU]", "[AU, AC-17]"), "still stands there"),
        (("PR.PT-1", "[AU]", "[AU-6]"), "AU does not stand there"),
        (("RS.RP-1", "an incident", "an event"), "an incident does not stand there"),
        (("DE.CM-7", "iso_27001: []", "iso_27001: [A.12.4.1]"), "the cell is not empty"),
    ],
)
def test_a_correction_that_was_not_made_is_reported(
    folder: Path, known: Mapping[str, Promised], spoilt: tuple[str, str, str], message: str
) -> None:
    row, old, new = spoilt
    change(folder / "rows" / f"{row}.yml", old, new)
    problem = the_one(found(folder, known))
    assert problem.path.name == "corrections.yml"
    assert row in problem.message
    assert message in problem.message


def test_a_correction_of_a_row_that_is_not_there_is_reported(folder: Path, known: Mapping[str, Promised]) -> None:
    change(folder / "corrections.yml", "row: RS.RP-1", "row: RS.RP-7")
    assert "no such cell" in the_one(found(folder, known)).message


@pytest.mark.parametrize("name", ["table.yml", "corrections.yml", "retired-ids.yml"])
def test_a_file_that_is_missing_or_empty_is_reported(folder: Path, known: Mapping[str, Promised], name: str) -> None:
    (folder / name).write_text("---\n", "utf-8")
    assert the_one(found(folder, known)).message == "The file is empty."
    (folder / name).unlink()
    assert the_one(found(folder, known)).message == "There is no such file."


def test_a_control_that_stands_in_a_program_is_reported(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    program = tmp_path / "lab" / "step.py"
    program.write_text('NAME = "PR.AC-12"\nCONTROLS = ("PR.AC-1",)\n', "utf-8")
    problem = the_one(list(no_program_names_a_control(Subject(load_map(), {}, tmp_path))))
    assert (problem.path, problem.line) == (program, 2)
    assert "PR.AC-1 stands in a program" in problem.message
