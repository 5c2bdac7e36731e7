"""``pacslab controls``: filters, one row whole, and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lab.cli.main import main
from lab.results.manifest import Manifest
from lab.results.model import Outcome, Result
from lab.results.store import Run
from lab.verify.registry import checks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def no_labs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state without labs."""
    monkeypatch.setenv("PACSLAB_STATE", str(tmp_path))
    return tmp_path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["controls", *words])
    code = end.value.code
    assert isinstance(code, int)
    return code


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:-2]]


def test_all_rows_are_shown_without_a_lab(capsys: pytest.CaptureFixture[str]) -> None:
    assert run() == 0
    assert len(shown(capsys)) == 42


def test_a_function_or_category_leaves_its_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("RS", "PR.MA") == 0
    assert shown(capsys) == ["PR.MA-1", "PR.MA-2", "RS.RP-1", "RS.IM-1", "RS.IM-2"]


def test_a_standing_leaves_the_rows_that_are_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--standing", "not run", "PR.AC") == 0
    assert shown(capsys) == ["ALOF", "PR.AC-1", "PR.AC-4", "PR.AC-5", "PR.AC-6"]


def test_one_row_is_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("PR.AC-1") == 0
    text = capsys.readouterr().out
    for part in ("164.312(d)", "A.9.4.3", "not covered: ", "docs/pki.md", "not run    radiology-workflow.revoked"):
        assert part in text


def test_rows_are_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("PR.AC-5", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["rows"]
    assert (row["id"], row["status"], row["standing"]) == ("PR.AC-5", "automated", "not run")
    assert row["sp_800_53"] == ["AC-4", "SC-7"]
    assert {entry["id"] for entry in row["evidence"]} >= {"segmentation.declared", "segmentation.completes"}


def judge(state: Path, begun: float, outcomes: dict[str, Outcome]) -> str:
    """Keep a run of lab reference that found these."""
    manifest = Manifest("verify", "abc", True, "reference", "", "reference", None, {}, {}, {}, begun)  # noqa: FBT003
    with Run(state / "reference", "verify", manifest) as kept:
        for name, outcome in outcomes.items():
            kept.add(Result(name, "A promise.", "fw1", outcome, "silence", "it connected", remedy="Close it."))
    return kept.id


def test_a_row_has_the_evidence_of_the_last_run(no_labs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("PR.AC-5", "--json") == 0
    (asked,) = json.loads(capsys.readouterr().out)["rows"]
    everything = {entry["id"]: Outcome.PASSED for entry in asked["evidence"]}
    check = checks()["segmentation"]
    assert set(everything) >= {promise.id for promise in (*check.promises, check.completes)}
    judge(no_labs, 1769824800.0, everything)
    assert run("PR.AC-5", "PR.AC-2") == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("PR.AC-5"))
    assert row.split()[1:4] == ["automated", "supported", f"{len(everything)}/{len(everything)}"]
    last = judge(no_labs, 1769828400.0, {**everything, "segmentation.undeclared": Outcome.FAILED})
    assert run("PR.AC-5") == 0
    text = capsys.readouterr().out
    assert "status: automated; evidence: failed" in text
    assert f"{last}, 2026-01-31 03:00:00Z: 1 failed" in text
    assert "expected silence; observed it connected. Close it." in text


@pytest.mark.parametrize("words", [("PR.AC-11",), ("--standing", "fine")])
def test_a_word_that_is_not_known_is_refused(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert run(*words) == 2
    assert "There are" in (text := capsys.readouterr().err) or "It can be" in text or "Did you mean" in text
