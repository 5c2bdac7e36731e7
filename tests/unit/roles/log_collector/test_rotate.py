"""Collected logs have a bound: what is full is put aside, and the oldest part of the longest log goes."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from lab.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = ROOT / "roles" / "log_collector" / "files" / "collector-rotate"


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder of logs."""
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


def rotate(logs: Path, *, full: int, aside: int) -> set[str]:
    """Run the program; what is there afterwards."""
    limits = logs.with_name("log-bytes")
    limits.write_text(f"{full} {aside}\n")
    done = subprocess.run(
        [PROGRAM, logs], env={**os.environ, "LOG_BYTES": str(limits)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode in {0, 1}, done.stderr) == (True, "")
    return {path.name for path in logs.iterdir()}


def test_a_full_log_is_put_aside_under_a_name_with_the_time(logs: Path) -> None:
    (logs / "fw1.jsonl").write_bytes(b"x" * 100)
    (logs / "ct1.jsonl").write_bytes(b"x" * 99)
    (logs / "fw1.jsonl").chmod(0o640)
    (name,) = rotate(logs, full=100, aside=1000) - {"ct1.jsonl", "fw1.jsonl"}
    new = (logs / "fw1.jsonl").stat()
    assert (new.st_size, new.st_mode & 0o777) == (0, 0o640)
    host, day, second = name.rsplit("-", 2)
    assert (host, len(day), int(second) > 0) == ("fw1.jsonl", 8, True)


def test_a_log_that_is_full_twice_in_a_second_loses_nothing(logs: Path) -> None:
    for _ in range(3):
        (logs / "fw1.jsonl").write_bytes(b"x" * 100)
        found = rotate(logs, full=100, aside=1000)
    assert len(found - {"fw1.jsonl"}) == 3


def test_the_oldest_part_of_the_longest_log_goes(logs: Path) -> None:
    for second in range(5):
        (logs / f"fw1.jsonl-20260101-176722560{second}").write_bytes(b"x" * 100)
    (logs / "ct1.jsonl-20250101-1735689600").write_bytes(b"x" * 100)
    found = rotate(logs, full=100, aside=300)
    assert found == {
        "ct1.jsonl-20250101-1735689600",
        "fw1.jsonl-20260101-1767225603",
        "fw1.jsonl-20260101-1767225604",
    }


def test_nothing_goes_while_there_is_room(logs: Path) -> None:
    (logs / "fw1.jsonl-20260101-1767225600").write_bytes(b"x" * 100)
    assert len(rotate(logs, full=100, aside=100)) == 1
