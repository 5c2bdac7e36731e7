"""Where a session began outlives the gateway, and what cannot be kept begins nowhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulators.access.denied import DeniedError
from simulators.access.subject import Subject
from simulators.errors import NotReadyError
from simulators.gateway import browsers
from simulators.gateway.browsers import LONGEST_SESSION, Browsers
from tests.unit.simulators.gateway.test_break_glass import Clock

if TYPE_CHECKING:
    from pathlib import Path

HERE = Subject("n.okafor", (), "", "s1", "10.24.30.11", "Chromium")
THERE = replace(HERE, browser="curl")


def test_a_session_belongs_to_its_browser_after_a_restart_and_until_it_has_ended(tmp_path: Path) -> None:
    clock = Clock()
    Browsers(tmp_path / "kept", clock).check(HERE)
    again = Browsers(tmp_path / "kept", clock)
    with pytest.raises(DeniedError):
        again.check(THERE)
    again.check(HERE)
    clock.now += LONGEST_SESSION + 1
    Browsers(tmp_path / "kept", clock).check(THERE)


def test_the_file_names_no_session_and_no_place(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    Browsers(kept).check(replace(HERE, session="a-secret-session"))
    text = kept.read_text("utf-8")
    assert text
    assert not any(word in text for word in ("a-secret-session", "10.24.30.11", "Chromium", "okafor"))


def test_a_line_that_was_being_written_spoils_no_other(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    Browsers(kept).check(HERE)
    with kept.open("a", encoding="utf-8") as file:
        file.write('["half')
    again = Browsers(kept)
    with pytest.raises(DeniedError):
        again.check(THERE)
    again.check(replace(THERE, session="s2"))
    with pytest.raises(DeniedError):
        Browsers(kept).check(replace(HERE, session="s2"))


def test_no_more_sessions_are_kept_than_there_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "MOST", 3)
    kept = tmp_path / "kept"
    known = Browsers(kept)
    for number in range(9):
        known.check(replace(HERE, session=f"s{number}"))
    assert len(kept.read_text("utf-8").splitlines()) == 3
    with pytest.raises(DeniedError):
        Browsers(kept).check(replace(THERE, session="s8"))


def test_where_nothing_can_be_kept_no_session_begins_and_those_that_have_go_on(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    known = Browsers(kept)
    known.check(HERE)
    kept.unlink()
    kept.mkdir()
    with pytest.raises(NotReadyError):
        known.check(replace(HERE, session="s2"))
    known.check(HERE)
    with pytest.raises(NotReadyError):
        Browsers(kept)
