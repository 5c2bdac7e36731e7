"""A file of the state is of the type that was written, or damaged: no reader meets anything else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from lab.state_file import DamagedFileError, read_json

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Kept:
    """What such a file holds."""

    name: str
    ports: dict[str, int]


def read(path: Path) -> Kept:
    return read_json(path, Kept, remedy="Put it back.")


def test_what_was_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text('{"name": "ct1", "ports": {"dicom": 104}}')
    assert read(tmp_path / "file") == Kept("ct1", {"dicom": 104})


def test_a_file_that_is_not_there_is_no_damage(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "file")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[1, 2]", b'{"name": 1, "ports": {}}', b'{"name": "x"}', b'{"name": "x", "ports": [1, 2]}',
        b'{"name": "\xff", "ports": {}}', b"[" * 100_000, b'{"name": "x", "ports": {"a": 1}', b"\0",
    ],
)  # fmt: skip
def test_anything_else_is_damage_with_its_place_and_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DamagedFileError) as error:
        read(tmp_path / "file")
    assert str(tmp_path / "file") in error.value.message
    assert error.value.remedy == "Put it back."


def test_a_folder_a_pipe_and_a_link_to_itself_are_damage_and_nothing_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    for name in ("folder", "pipe", "loop"):
        with pytest.raises(DamagedFileError):
            read(tmp_path / name)
