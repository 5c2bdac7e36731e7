"""What the repository has said of its chain stays with the sender, whatever the repository says later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulators.audit.heads import EVERY, HISTORY, NEWEST, Heads

if TYPE_CHECKING:
    from pathlib import Path


class Kept:
    """Heads in a folder, with a clock of the test's own."""

    def __init__(self, folder: Path, most: int = 2048) -> None:
        """Begin, as a daemon does."""
        self.now, self.folder = 0.0, folder
        self._heads = Heads(folder, clock=lambda: self.now, most=most)

    def keep(self, number: int, head: str = "0a", after: float = EVERY) -> None:
        """Hear of a head a while later."""
        self.now += after
        self._heads.keep(f"{number} {head}")

    def lines(self, name: str = HISTORY) -> list[str]:
        """What is on disk."""
        return [" ".join(line.split()[:2]) for line in (self.folder / name).read_text().splitlines()]


def test_the_newest_is_kept_and_one_a_minute_of_those_before(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    for number in range(1, 25):
        kept.keep(number, after=5)
    assert kept.lines(NEWEST) == ["24 0a"]
    assert kept.lines() == ["1 0a", "13 0a"]


@pytest.mark.parametrize(("number", "head"), [(7, "0b"), (3, "0b"), (3, "0a")])
def test_another_chain_replaces_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int, head: str
) -> None:
    Kept(tmp_path).keep(7)
    kept = Kept(tmp_path)  # over a restart
    kept.keep(number, head)
    assert kept.lines(NEWEST) == ["7 0a"]
    assert kept.lines() == ["7 0a", f"{number} {head}"]
    assert f"batch {number} of another chain" in capsys.readouterr().err


def test_what_is_said_again_is_nothing_new(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Kept(tmp_path).keep(7)
    Kept(tmp_path).keep(7)
    assert Kept(tmp_path).lines() == ["7 0a"]
    assert capsys.readouterr().err == ""


def test_old_heads_stay_however_many_come(tmp_path: Path) -> None:
    kept = Kept(tmp_path, most=16)
    for number in range(1, 500):
        kept.keep(number)
    numbers = [int(line.partition(" ")[0]) for line in kept.lines()]
    assert len(numbers) <= 16
    assert numbers[0] == 1
    assert numbers == sorted(numbers)
    assert len([number for number in numbers if number < 400]) >= 3


def test_a_damaged_file_keeps_no_head_from_being_kept(tmp_path: Path) -> None:
    (tmp_path / HISTORY).write_bytes(b"\xff\n")
    (tmp_path / NEWEST).write_text("x\n")
    kept = Kept(tmp_path)
    kept.keep(1)
    assert kept.lines() == kept.lines(NEWEST) == ["1 0a"]
