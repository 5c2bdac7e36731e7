"""What processes of one test run share is made once, by the first, and removed once, by the last."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import Manager
from typing import TYPE_CHECKING

import pytest

from tests.shared import shared

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Barrier


def tell(log: Path, word: str) -> None:
    with log.open("a", encoding="utf-8") as lines:
        lines.write(f"{word}\n")


def use(folder: Path, log: Path, everybody: Barrier) -> bool:
    """Use it until everybody does; whether it was there all the time."""
    with shared(folder, partial(tell, log, "made"), partial(tell, log, "removed")):
        everybody.wait(timeout=30)
        there = log.read_text("utf-8") == "made\n"
        everybody.wait(timeout=30)
    return there


def test_two_processes_have_the_same_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Manager() as manager, ProcessPoolExecutor(2) as pool:
        everybody = manager.Barrier(2)
        assert list(pool.map(partial(use, tmp_path, log), [everybody] * 2)) == [True, True]
    assert log.read_text("utf-8").splitlines() == ["made", "removed"]


def test_who_comes_after_the_last_gets_a_new_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    for _ in range(2):
        with shared(tmp_path, partial(tell, log, "made"), partial(tell, log, "removed")):
            pass
    assert log.read_text("utf-8").splitlines() == ["made", "removed"] * 2


def test_what_could_not_be_made_is_tried_again_by_the_next(tmp_path: Path) -> None:
    log = tmp_path / "log"

    def fail() -> None:
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError), shared(tmp_path, fail, partial(tell, log, "removed")):
        pass
    with shared(tmp_path, partial(tell, log, "made"), partial(tell, log, "removed")):
        pass
    assert log.read_text("utf-8").splitlines() == ["made", "removed"]
