"""Every line of a host is read once, through files that are put aside and over restarts."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from simulators.siem.lines.tail import AT_ONCE, Place, Tail, hosts

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = Place()


def write(folder: Path, *lines: str, host: str = "fw1") -> Path:
    path = folder / f"{host}.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(lines))
    return path


def read(tail: Tail) -> list[str]:
    return [line.decode() for line, _ in tail.lines()]


def test_lines_are_read_as_they_come_and_whole(tmp_path: Path) -> None:
    write(tmp_path, "a\n", "b\n", "c")
    tail = Tail(tmp_path, "fw1", BEGIN)
    assert read(tail) == ["a", "b"]
    assert read(tail) == []
    write(tmp_path, "d\ne\n")
    assert read(tail) == ["cd", "e"]


def test_without_a_place_it_begins_at_the_end(tmp_path: Path) -> None:
    write(tmp_path, "a\n")
    tail = Tail(tmp_path, "fw1", None)
    write(tmp_path, "b\n")
    assert read(tail) == ["b"]


def test_a_file_that_comes_later_is_read_from_its_beginning(tmp_path: Path) -> None:
    tail = Tail(tmp_path, "fw1", None)
    assert read(tail) == []
    write(tmp_path, "a\n")
    assert read(tail) == ["a"]


def test_files_that_are_put_aside_are_read_to_their_end_and_in_order(tmp_path: Path) -> None:
    path = write(tmp_path, "a\n")
    tail = Tail(tmp_path, "fw1", BEGIN)
    assert read(tail) == ["a"]
    for number in range(3):
        write(tmp_path, f"b{number}\n")
        path.rename(tmp_path / f"fw1.jsonl-20260105-{1767604364 + number}")
        write(tmp_path, f"c{number}\n")
    found = [line for _ in range(12) for line in read(tail)]
    assert found == ["b0", "c0", "b1", "c1", "b2", "c2"]


def test_after_a_restart_it_goes_on_at_the_place_that_was_noted(tmp_path: Path) -> None:
    path = write(tmp_path, "a\n", "b\n", "c\n")
    places = [place for _, place in Tail(tmp_path, "fw1", BEGIN).lines()]
    path.rename(tmp_path / "fw1.jsonl-20260105-1767604364")
    write(tmp_path, "d\n")
    tail = Tail(tmp_path, "fw1", places[0])
    assert [line for _ in range(3) for line in read(tail)] == ["b", "c", "d"]


def test_a_file_that_was_put_back_from_a_copy_is_not_read_again(tmp_path: Path) -> None:
    path = write(tmp_path, "a\n", "b\n")
    place = Tail(tmp_path, "fw1", BEGIN).lines()[0][1]
    path.rename(tmp_path / "fw1.jsonl-20260105-1767604364")
    shutil.copyfile(tmp_path / "fw1.jsonl-20260105-1767604364", tmp_path / "copy")
    (tmp_path / "copy").replace(tmp_path / "fw1.jsonl-20260105-1767604364")
    write(tmp_path, "c\n")
    tail = Tail(tmp_path, "fw1", place)
    assert [line for _ in range(3) for line in read(tail)] == ["b", "c"]


def test_a_file_that_is_gone_is_followed_by_the_oldest_that_is_there(tmp_path: Path) -> None:
    write(tmp_path, "c\n")
    assert read(Tail(tmp_path, "fw1", Place(1, 100))) == ["c"]
    assert read(Tail(tmp_path, "fw1", Place(1, 100, "other"))) == ["c"]


def test_a_line_that_never_ends_is_left_behind(tmp_path: Path) -> None:
    write(tmp_path, "x" * (AT_ONCE * 2), "\nb\n")
    tail = Tail(tmp_path, "fw1", BEGIN)
    assert [line for _ in range(4) for line in read(tail)] == ["", "b"]


def test_hosts_are_those_with_a_file(tmp_path: Path) -> None:
    write(tmp_path, "a\n")
    write(tmp_path, "a\n", host="ris1")
    (tmp_path / "fw1.jsonl-20260105-1").write_text("a\n")
    assert hosts(tmp_path) == ["fw1", "ris1"]
