"""A control is switched off exactly as described or not at all, and on again whatever comes between."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.abuse import weakening
from lab.abuse.failure import RestoreError, WeakeningError
from lab.abuse.weakening import Edit, EditedFiles, FilterRule, literal
from tests.unit.lab.abuse.trial import PARTIES, LocalLab

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration of a host, which keeps what was there before in a folder of its own."""
    monkeypatch.setattr(weakening, "ASIDE", str(tmp_path / "aside"))
    path = tmp_path / "edge.cfg"
    path.write_text("bind verify required\nreject if stranger\n", "utf-8")
    path.chmod(0o640)
    return path


def test_a_substitution_matches_as_often_as_it_says() -> None:
    assert literal("/f", "a.b", "c").applied_to("a.b axb") == "c axb"
    assert Edit("/f", r"^reject .*\n", "").applied_to("x\nreject if y\nz\n") == "x\nz\n"
    with pytest.raises(WeakeningError, match="2 times, not 1"):
        literal("/f", "a", "b").applied_to("a a")
    with pytest.raises(WeakeningError, match="0 times, not 1"):
        literal("/f", "a", "b").applied_to("")


def test_a_text_is_put_in_as_it_stands() -> None:
    assert literal("/f", "a", r"\1\n").applied_to("a") == r"\1\n"


def test_files_are_changed_for_a_while_and_then_what_they_were(file: Path) -> None:
    before = file.stat()
    edits = (literal(str(file), "required", "none"), Edit(str(file), r"^reject .*\n", ""))
    lab = LocalLab()
    with EditedFiles("off", edits, effect=("true",), check=("grep", "none", str(file))).applied(lab.lab, PARTIES):
        assert file.read_text("utf-8") == "bind verify none\n"
        assert file.stat().st_mode == before.st_mode
    assert file.read_text("utf-8") == "bind verify required\nreject if stranger\n"
    assert (file.stat().st_mode, file.stat().st_mtime_ns) == (before.st_mode, before.st_mtime_ns)
    assert lab.ran.count(["true"]) == 2


def test_a_substitution_that_does_not_match_changes_nothing(file: Path) -> None:
    lab, edits = LocalLab(), (literal(str(file), "required", "none"), literal(str(file), "missing", ""))
    with (
        pytest.raises(WeakeningError, match="missing"),
        EditedFiles("off", edits, effect=("true",)).applied(lab.lab, PARTIES),
    ):
        pytest.fail("it was switched off")
    assert "required" in file.read_text("utf-8")
    assert ["true"] not in lab.ran


def test_a_file_that_the_service_would_refuse_is_put_back(file: Path) -> None:
    edit = EditedFiles("off", (literal(str(file), "required", "none"),), effect=("true",), check=("false",))
    with pytest.raises(WeakeningError, match="false ended with 1"), edit.applied(LocalLab().lab, PARTIES):
        pytest.fail("it was switched off")
    assert "required" in file.read_text("utf-8")


def test_files_are_put_back_when_the_attempt_breaks_off(file: Path) -> None:
    edit = EditedFiles("off", (literal(str(file), "required", "none"),), effect=("true",))
    with pytest.raises(KeyboardInterrupt), edit.applied(LocalLab().lab, PARTIES):
        raise KeyboardInterrupt
    assert "required" in file.read_text("utf-8")


def test_a_service_that_does_not_take_its_own_files_back_is_an_error_of_its_own(file: Path) -> None:
    once = file.with_name("once")
    effect = ("sh", "-c", f"test ! -e {once} && touch {once}")
    edit = EditedFiles("off", (literal(str(file), "required", "none"),), effect=effect)
    with pytest.raises(RestoreError, match="Not switched on again"), edit.applied(LocalLab().lab, PARTIES):
        pass
    assert "required" in file.read_text("utf-8")


def test_a_rule_is_taken_out_by_the_handle_that_it_got(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nft = tmp_path / "nft"
    nft.write_text(
        '#!/bin/sh\necho "$@" >>"$0.ran"; echo "insert rule inet filter input x accept # handle 42"\n', "utf-8"
    )
    nft.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with FilterRule("a hole", "input", lambda *_: "x accept").applied(LocalLab().lab, PARTIES):
        pass
    assert (tmp_path / "nft.ran").read_text("utf-8").splitlines() == [
        "--echo --handle insert rule inet filter input x accept",
        "delete rule inet filter input handle 42",
    ]
