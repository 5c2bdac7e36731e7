"""A folder has room and can be written, or the host says what it lacks: tried on file systems of their own."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

WANTED = {"megabytes": 200, "percent": 5, "inodes_percent": 2}
MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def room() -> ModuleType:
    return role_program("base", "pacslab_room.py")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB with 64 inodes; only root can make one."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m,nr_inodes=64", "tmpfs", str(place)], check=False)
    if done.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_folder_with_room_lacks_nothing(room: ModuleType, disk: Path) -> None:
    assert room.lacks(str(disk), WANTED) == ""
    assert list(disk.iterdir()) == []


def test_a_small_disk_needs_a_part_of_itself_and_a_large_one_the_megabytes(room: ModuleType, disk: Path) -> None:
    facts = os.statvfs(disk)
    assert room.needed_octets(facts, WANTED) == 8 * MEGABYTE * 5 // 100
    assert room.needed_octets(facts, {**WANTED, "megabytes": 0}) == 0


def test_a_disk_that_is_almost_full_is_named_with_its_figures(room: ModuleType, disk: Path) -> None:
    (disk / "ballast").write_bytes(b"\0" * int(7.8 * MEGABYTE))
    said = room.lacks(str(disk), WANTED)
    assert str(disk) in said
    assert "of 8.0 MB are free, 0.4 are needed" in said
    (disk / "ballast").unlink()
    assert room.lacks(str(disk), WANTED) == ""


def test_a_disk_without_inodes_is_named(room: ModuleType, disk: Path) -> None:
    for number in range(62):
        (disk / str(number)).touch()
    assert "inodes are free" in room.lacks(str(disk), WANTED)


def test_a_disk_that_can_only_be_read_is_named_though_it_has_room(room: ModuleType, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    assert "Read-only file system" in room.lacks(str(disk), WANTED)


def test_a_folder_that_is_not_there_is_named(room: ModuleType, tmp_path: Path) -> None:
    assert "No such file or directory" in room.lacks(str(tmp_path / "gone"), WANTED)


def test_where_files_need_a_name_one_is_made_and_goes(
    room: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "NAMELESS", os.O_WRONLY)  # a folder cannot be opened so: EISDIR, as old kernels say
    room.write_in(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
