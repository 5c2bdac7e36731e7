"""Lines of the log are kept whole, or answered with why not: on a full disk, after a kill, when files are rotated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab.settings import ROOT
from tests.unit.roles.programs import role_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import ModuleType

ROTATE = ROOT / "roles" / "log_collector" / "files" / "collector-rotate"
PROGRAM = ROOT / "roles" / "log_collector" / "files" / "collector_keep.py"
LINE = b'{"host": "ct1", "message": "' + b"x" * 900 + b'"}\n'


@pytest.fixture(scope="module")
def keep() -> ModuleType:
    return role_program("log_collector", "collector_keep.py")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MB; only root can make one."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def whole(path: Path) -> int:
    """How many lines a file has; each has to be JSON."""
    lines = path.read_bytes().splitlines(keepends=True)
    for line in lines:
        assert line.endswith(b"\n")
        json.loads(line)
    return len(lines)


def test_each_line_is_in_its_hosts_file(keep: ModuleType, tmp_path: Path) -> None:
    files = keep.Files(tmp_path, None)
    assert keep.answer(files, b"ct1\t" + LINE) == "OK"
    assert keep.answer(files, b"ct2\t" + LINE) == "OK"
    assert keep.answer(files, b"ct1\t" + LINE) == "OK"
    assert (whole(tmp_path / "ct1.jsonl"), whole(tmp_path / "ct2.jsonl")) == (2, 1)


def test_on_a_full_disk_no_part_of_a_line_is_left_and_it_is_kept_once_there_is_room(
    keep: ModuleType, disk: Path
) -> None:
    files, kept = keep.Files(disk, None), 0
    while (said := keep.answer(files, b"ct1\t" + LINE)) == "OK":
        kept += 1
    assert said == "ct1: No space left on device"
    assert whole(disk / "ct1.jsonl") == kept
    os.truncate(disk / "ct1.jsonl", 0)
    assert keep.answer(files, b"ct1\t" + LINE) == "OK"
    assert whole(disk / "ct1.jsonl") == 1
    files.close()


def test_a_line_that_a_kill_cut_off_is_taken_back(keep: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "ct1.jsonl").write_bytes(LINE + LINE[:50])
    assert keep.answer(keep.Files(tmp_path, None), b"ct1\t" + LINE) == "OK"
    assert whole(tmp_path / "ct1.jsonl") == 2


@pytest.mark.parametrize("host", [b"../../etc/passwd", b"", b"a/b", b"A", b"a\nb"])
def test_a_host_that_is_no_name_gets_no_file(host: bytes, keep: ModuleType, tmp_path: Path) -> None:
    assert keep.answer(keep.Files(tmp_path, None), host + b"\t" + LINE) == "OK"
    assert list(tmp_path.iterdir()) == []


def test_rotated_files_are_let_go(keep: ModuleType, tmp_path: Path) -> None:
    files = keep.Files(tmp_path, None)
    keep.answer(files, b"ct1\t" + LINE)
    (tmp_path / "ct1.jsonl").rename(tmp_path / "ct1.jsonl-1")
    files.close()
    keep.answer(files, b"ct1\t" + LINE)
    assert whole(tmp_path / "ct1.jsonl") == whole(tmp_path / "ct1.jsonl-1") == 1


def test_the_program_is_ready_answers_each_line_and_ends_with_its_input(tmp_path: Path) -> None:
    limits = tmp_path / "limits"
    limits.write_text("1000000 0\n")
    text = PROGRAM.read_text("utf-8").replace('"adm"', "None")
    for path, there in (("/var/log/pacslab", tmp_path), ("/etc/pacslab/log-bytes", limits)):
        text = text.replace(f'"{path}"', f'"{there}"')
    done = subprocess.run([sys.executable, "-c", text], input=(b"ct1\t" + LINE) * 3, capture_output=True, check=True)
    assert done.stdout.splitlines() == [b"OK"] * 4
    assert whole(tmp_path / "ct1.jsonl") == 3


def test_a_file_that_is_full_is_put_aside_before_the_next_line(keep: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "limits").write_text("2000 1000000\n")
    program = tmp_path / "rotate"
    program.write_text(f'#!/bin/sh\nLOG_BYTES={tmp_path}/limits exec {ROTATE} "$1"\n')
    program.chmod(0o755)
    (tmp_path / "log").mkdir()
    files = keep.Files(tmp_path / "log", None, 2000, str(program))
    for _ in range(7):
        assert keep.answer(files, b"ct1\t" + LINE) == "OK"
    aside = sorted(path for path in (tmp_path / "log").iterdir() if path.name != "ct1.jsonl")
    assert [whole(path) for path in aside] == [3, 3]
    assert whole(tmp_path / "log" / "ct1.jsonl") == 1
