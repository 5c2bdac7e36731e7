"""Messages wait on disk: numbered without gaps, over a kill at any byte and a full disk; none is lost or doubled."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lab.settings import ROOT
from simulators.audit.spool import Spool, SpoolFullError

if TYPE_CHECKING:
    from pathlib import Path


def filled(folder: Path, count: int, *, segment: int = 400) -> Spool:
    spool = Spool(folder, segment=segment)
    for _ in range(count):
        spool.add(message(spool.next), f"place-{spool.next}")
        spool.commit()
    return spool


def message(number: int) -> bytes:
    return f"message {number} ".encode() + b"x" * (number % 50)


def numbers(spool: Spool) -> list[int]:
    """The messages that wait, read a few at a time."""
    found: list[int] = []
    after = spool.acknowledged
    while kept := spool.after(after, 150):
        assert all(entry.data == message(entry.number) for entry in kept)
        found += [entry.number for entry in kept]
        after = found[-1]
    return found


def test_messages_are_numbered_from_one_and_read_in_order(tmp_path: Path) -> None:
    spool = filled(tmp_path, 30)
    assert numbers(spool) == list(range(1, 31))
    assert (spool.last, spool.waiting, spool.place) == (30, 30, "place-30")
    assert len(list(tmp_path.glob("*.messages"))) > 3


def test_a_start_goes_on_where_it_was_left(tmp_path: Path) -> None:
    first = filled(tmp_path, 30)
    first.acknowledge(12)
    first.close()
    second = Spool(tmp_path)
    assert (second.run, second.last, second.acknowledged, second.place) == (first.run, 30, 12, "place-30")
    assert (numbers(second), second.damaged) == (list(range(13, 31)), False)
    second.add(message(31), "place-31")
    second.commit()
    assert numbers(second) == list(range(13, 32))


def test_what_is_acknowledged_leaves_the_disk_and_its_numbers_are_never_given_again(tmp_path: Path) -> None:
    spool = filled(tmp_path, 30)
    spool.acknowledge(30)
    assert len(list(tmp_path.glob("*.messages"))) == 1
    spool.close()
    again = Spool(tmp_path)
    assert (again.next, again.waiting, again.run) == (31, 0, spool.run)


@pytest.mark.parametrize("number", [0, 5, 31, 1 << 60, -1])
def test_an_acknowledgement_that_cannot_be_changes_nothing(tmp_path: Path, number: int) -> None:
    spool = filled(tmp_path, 30)
    spool.acknowledge(5)
    spool.acknowledge(number)
    assert numbers(spool) == list(range(6, 31))


def test_a_kill_at_any_byte_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    spool = filled(tmp_path / "whole", 7, segment=1 << 20)
    (file,) = (tmp_path / "whole").glob("*.messages")
    sizes = {0: 0}
    data, end = file.read_bytes(), 0
    for kept in spool.after(0, 1 << 20):
        end = data.index(kept.data, end) + len(kept.data)
        sizes[kept.number] = end
    for cut in range(len(data) + 1):
        folder = tmp_path / "cut"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "whole", folder)
        os.truncate(folder / file.name, cut)
        there = max(number for number, size in sizes.items() if size <= cut)
        opened = Spool(folder)
        assert (opened.last, opened.run, opened.damaged) == (there, spool.run, False)
        assert opened.place == (f"place-{there}" if there else "")
        opened.add(message(there + 1), "later")
        opened.commit()
        assert numbers(opened) == list(range(1, there + 2))
        opened.close()


def test_the_messages_of_one_entry_stay_together(tmp_path: Path) -> None:
    spool = filled(tmp_path, 2, segment=1 << 20)
    spool.add(message(3), "place-3", ends=False)
    spool.add(message(4), "place-3")
    spool.commit()
    spool.close()
    (file,) = tmp_path.glob("*.messages")
    os.truncate(file, file.stat().st_size - 1)
    opened = Spool(tmp_path)
    assert (opened.last, opened.place) == (2, "place-2")


KILLED = """
import sys
from pathlib import Path
from simulators.audit.spool import Spool
from tests.unit.simulators.audit.test_spool import message
spool = Spool(Path(sys.argv[1]), segment=4096)
while True:
    for _ in range(3):
        spool.add(message(spool.next), str(spool.next))
    spool.commit()
    print(spool.last, flush=True)
    if spool.last % 2:
        spool.acknowledge(spool.last - 20)
"""


def test_a_process_that_is_killed_leaves_a_spool_that_is_whole(tmp_path: Path) -> None:
    chance, last, run = random.Random(1), 0, ""  # noqa: S311 - the same moments each time
    for _ in range(5):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process:
            assert process.stdout is not None
            for _ in range(chance.randrange(1, 60)):
                last = int(process.stdout.readline())
            process.send_signal(signal.SIGKILL)
            last = max([last, *(int(line) for line in process.stdout if line.endswith("\n"))])
        spool = Spool(tmp_path)
        assert spool.last >= last
        assert spool.run == (run or spool.run)
        assert numbers(spool) == list(range(spool.acknowledged + 1, spool.last + 1))
        assert not spool.damaged
        run, last = spool.run, spool.last
        spool.close()


def test_a_spool_that_is_full_takes_nothing_until_something_is_acknowledged(tmp_path: Path) -> None:
    spool = Spool(tmp_path, limit=2_000, segment=400)
    while True:
        spool.add(message(spool.next), "place")
        try:
            spool.commit()
        except SpoolFullError:
            break
    full = spool.last
    assert numbers(spool) == list(range(1, full + 1))
    assert spool.next == full + 1
    spool.acknowledge(full)
    spool.add(message(spool.next), "place")
    spool.commit()
    assert numbers(spool) == [full + 1]


def test_a_disk_that_is_full_leaves_everything_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = filled(tmp_path, 5, segment=1 << 20)
    write = os.write

    def half(handle: int, data: bytes) -> int:
        if len(data) > 10:
            return write(handle, data[:10])
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched:
        patched.setattr("simulators.audit.spool.os.write", half)
        spool.add(message(6), "place-6")
        with pytest.raises(OSError, match="full"):
            spool.commit()
    assert (spool.last, spool.next, spool.place) == (5, 6, "place-5")
    spool.add(message(6), "place-6")
    spool.commit()
    spool.close()
    assert numbers(Spool(tmp_path)) == [1, 2, 3, 4, 5, 6]


def broken(folder: Path, what: str) -> None:
    files = sorted(folder.glob("*.messages"))
    if what == "a byte in the middle":
        data = bytearray(files[1].read_bytes())
        data[len(data) // 2] ^= 1
        files[1].write_bytes(data)
    elif what == "a file is missing":
        files[1].unlink()
    elif what == "no run":
        (folder / "run").unlink()
    else:
        for file in files[2:]:
            file.unlink()
        run = (folder / "run").read_text("ascii").strip()
        (folder / "acknowledged").write_text(f"{run} 29\n", "ascii")


@pytest.mark.parametrize("what", ["a byte in the middle", "a file is missing", "no run", "less than was acknowledged"])
def test_a_spool_that_is_damaged_begins_another_run(tmp_path: Path, what: str) -> None:
    spool = filled(tmp_path, 30)
    broken(tmp_path, what)
    spool.close()
    again = Spool(tmp_path)
    assert again.damaged
    assert again.run != spool.run
    assert (again.next, numbers(again)) == (1, [])


def test_a_new_spool_is_not_damaged(tmp_path: Path) -> None:
    assert not Spool(tmp_path).damaged


def test_how_far_the_journal_was_read_outlives_entries_without_messages(tmp_path: Path) -> None:
    spool = filled(tmp_path, 3)
    spool.commit("place-far")
    spool.close()
    assert Spool(tmp_path).place == "place-far"
    again = Spool(tmp_path)
    again.add(message(4), "place-farther")
    again.commit()
    again.close()
    assert Spool(tmp_path).place == "place-farther"


def test_its_files_are_for_its_owner_alone(tmp_path: Path) -> None:
    spool = filled(tmp_path / "spool", 3)
    spool.acknowledge(1)
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert [path for path in (tmp_path / "spool").iterdir() if path.stat().st_mode & 0o077] == []
