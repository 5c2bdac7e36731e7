"""A row is supported only when everything that it names was judged and passed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lab.controls.load import load_map
from lab.controls.promises import Kind, Promised
from lab.controls.standing import Standing, standings
from lab.results.model import Outcome, Result
from lab.results.store import KeptRun
from tests.unit.lab.controls.maps import copied

if TYPE_CHECKING:
    from lab.controls.standing import RowStanding

GOOD, BAD, ERROR, SKIPPED, NONE = (
    Outcome.PASSED,
    Outcome.FAILED,
    Outcome.ERROR,
    Outcome.SKIPPED,
    Outcome.NOT_APPLICABLE,
)
RUN = KeptRun("20260131T020000Z-verify", Path(), {"begun": 1769824800.0, "commit": "abc"}, None)


def promised(name: str, kind: Kind = Kind.CHECK) -> Promised:
    return Promised(name, "Something holds.", kind, (Path(__file__),), name)


PROMISES = {
    "one.a": promised("one.a"),
    "one.b": promised("one.b"),
    "one.completes": promised("one.completes", Kind.COMPLETION),
    "two.c": promised("two.c", Kind.STEP),
}


def judged(tmp_path: Path, claims: str, **outcomes: list[Outcome]) -> RowStanding:
    """The standing of a row that claims these, after runs that found these; ``one_a`` is the id one.a."""
    folder = copied(tmp_path)
    path = folder / "rows" / "PR.AC-5.yml"
    text = path.read_text("utf-8")
    path.write_text(f"{text[: text.index('evidence:')]}evidence: [{claims}]\n", "utf-8")
    latest = {
        key.replace("_", "."): (RUN, [Result(key, "Something holds.", "h1", outcome) for outcome in found])
        for key, found in outcomes.items()
    }
    (row,) = [entry for entry in standings(load_map(folder), PROMISES, latest) if entry.place.row == "PR.AC-5"]
    return row


@pytest.mark.parametrize(
    ("outcomes", "standing"),
    [
        ({"one_a": [GOOD, GOOD], "one_b": [GOOD]}, Standing.SUPPORTED),
        ({"one_a": [GOOD, NONE], "one_b": [NONE]}, Standing.SUPPORTED),
        ({"one_a": [GOOD], "one_b": [GOOD, BAD]}, Standing.FAILED),
        ({"one_a": [GOOD], "one_b": [ERROR]}, Standing.FAILED),
        ({"one_b": [BAD]}, Standing.FAILED),
        ({"one_a": [GOOD]}, Standing.NOT_RUN),
        ({"one_a": [GOOD], "one_b": [GOOD, SKIPPED]}, Standing.NOT_RUN),
        ({"one_a": [NONE], "one_b": [NONE]}, Standing.NOT_RUN),
        ({}, Standing.NOT_RUN),
    ],
)
def test_a_row_is_what_its_worst_evidence_is(
    tmp_path: Path, outcomes: dict[str, list[Outcome]], standing: Standing
) -> None:
    assert judged(tmp_path, "one.a, one.b", one_completes=[GOOD], **outcomes).standing is standing


def test_a_row_that_names_no_result_has_nothing_yet(tmp_path: Path) -> None:
    row = judged(tmp_path, "", one_a=[GOOD])
    assert (row.standing, row.evidence) == (Standing.NOTHING, ())


def test_a_pattern_names_all_that_it_covers(tmp_path: Path) -> None:
    row = judged(tmp_path, "'one.*', 'two.?'", one_a=[GOOD], one_b=[GOOD], one_completes=[GOOD], two_c=[GOOD])
    assert [entry.promised.id for entry in row.evidence] == ["one.a", "one.b", "two.c", "one.completes"]
    assert (row.standing, row.passed) == (Standing.SUPPORTED, 4)


def test_a_check_that_broke_off_supports_nothing(tmp_path: Path) -> None:
    assert judged(tmp_path, "one.a", one_a=[GOOD], one_completes=[ERROR]).standing is Standing.FAILED


def test_evidence_tells_its_run_its_time_and_what_failed(tmp_path: Path) -> None:
    row = judged(tmp_path, "two.c", two_c=[GOOD, BAD]).as_dict()
    assert (row["id"], row["function"], row["standing"]) == ("PR.AC-5", "Protect (PR)", "failed")
    (evidence,) = row["evidence"]
    assert (evidence["id"], evidence["run"], evidence["at"], evidence["commit"]) == (
        "two.c",
        RUN.id,
        1769824800.0,
        "abc",
    )
    assert (evidence["counts"]["passed"], evidence["counts"]["failed"]) == (1, 1)
    assert [entry["outcome"] for entry in evidence["failed"]] == ["failed"]
