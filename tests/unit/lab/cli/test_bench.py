"""``bench`` prints every figure with its bound, and ends with 1 when one is missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.bench.figures import Figure
from lab.cli import bench
from tests.unit.lab.cli.command import run_verb

if TYPE_CHECKING:
    import pytest

KEPT = Figure("ours", "theirs", (1.0, 1.1), (2.0, 2.2), 1.5, faster=True)
MISSED = Figure("ours", "theirs", (3.0,), (1.0,), 2.0, faster=False)


def measured(monkeypatch: pytest.MonkeyPatch, *figures: Figure) -> None:
    """Have the bench of ``up`` find these figures."""
    monkeypatch.setattr(bench, "_up", lambda _: list(figures))


def test_figures_within_their_bounds_end_with_0(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch, KEPT)
    ran = run_verb(capsys, "bench", "up", "--json")
    assert ran.code == 0
    (figure,) = ran.json["figures"]
    assert (ran.json["bench"], ran.json["passed"], figure["passed"]) == ("up", True, True)
    assert (figure["ratio"], figure["aim"]) == (2.0, "at least 1.5")


def test_a_missed_bound_ends_with_1_and_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    measured(monkeypatch, KEPT, MISSED)
    assert run_verb(capsys, "bench", "up", "--json").json["passed"] is False
    ran = run_verb(capsys, "bench", "up")
    assert ran.code == 1
    assert "at most 2" in ran.out


def test_what_is_done_in_an_hour_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    measured(monkeypatch, Figure("ours", "theirs", (36.0,), (18.0,), None, faster=True, amounts={"orders": 4}))
    assert "an hour: 400 orders, against 800 orders" in run_verb(capsys, "bench", "up").out


def test_no_repetition_at_all_is_a_wrong_argument(capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_verb(capsys, "bench", "up", "--repetitions", "0")
    assert ran.code == 2
    assert "1 or more" in ran.err
