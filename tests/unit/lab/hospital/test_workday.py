"""A hospital's work goes on until all of it is done, through outages, and nothing counts that was not acknowledged."""

from __future__ import annotations

import json
import threading
from typing import Any, cast

import pytest

from lab.engine.execute import Completed
from lab.errors import EngineError, UsageError
from lab.hospital import workday
from lab.hospital.workday import Reader, Staff, Volume, Workday
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")
SCANNERS = ("ct1", "ct2", "mr1", "us1")


class Hospital:
    """Stands in for a lab: does each piece of work as it is told to, two orders, one step or its studies at a time."""

    site = SITE

    def __init__(self) -> None:
        """Nothing is ordered, and everybody is there."""
        self.lock = threading.Lock()
        self.ordered: dict[str, str] = {}
        self.waiting: list[str] = []
        self.away: set[str] = set()
        self.calls: list[list[str]] = []
        self.incomplete: set[str] = set()
        """Studies of which the archive has an image less when they are read for the first time."""

    def run(self, host: str, argv: list[str], *, input: bytes | None = None, **_: Any) -> Completed:  # noqa: A002
        """Work for a piece."""
        assert input is not None, "the command is brought along"
        _, _, command, verb, *words = argv
        assert command == "pacslab-load"
        with self.lock:
            self.calls.append([host, verb, *words])
            if host in self.away:
                raise EngineError(f"{host} does not run", remedy="")
            answer = getattr(self, verb)(host, words)
        return Completed(0, json.dumps(answer), "")

    def order(self, _: str, words: list[str]) -> dict[str, Any]:
        """Take two orders."""
        prefix, first, last = words[1], int(words[3]), int(words[5])
        placed = {f"{prefix}{number:05}": f"O{number}" for number in range(first, min(last, first + 1) + 1)}
        self.ordered |= placed
        self.waiting += [f"A{placer[1:]}" for placer in placed.values()]
        return {"orders": placed}

    def acquire(self, host: str, _: list[str]) -> dict[str, Any]:
        """Perform the next step of this scanner."""
        mine = [accession for accession in self.waiting if SCANNERS[int(accession[1:]) % len(SCANNERS)] == host]
        if not mine:
            return {"performed": []}
        accession = mine[0]
        self.waiting.remove(accession)
        return {"performed": [{"accession": accession, "study": f"1.{accession}", "digests": digests(accession)}]}

    def read(self, _: str, words: list[str]) -> dict[str, Any]:
        """Read studies."""
        seen = {accession: digests(accession) for accession in words[: words.index("--seconds")] if accession[0] == "A"}
        for accession in self.incomplete & seen.keys():
            seen[accession].popitem()
        self.incomplete -= seen.keys()
        return {"read": seen, "errors": {}}


def digests(accession: str) -> dict[str, str]:
    return {f"1.{accession}.{number}": f"digest {number}" for number in range(2)}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workday, "PAUSE", 0.01)
    monkeypatch.setattr(workday, "PATIENCE", 1.0)


def day(hospital: Hospital, said: list[str] | None = None) -> Workday:
    return Workday(
        cast("Any", hospital), Volume(orders=12, images=2), "LOAD", (said if said is not None else []).append
    )


def test_four_scanners_and_two_readers_work_at_the_reference_site() -> None:
    staff = Staff.of(SITE)
    assert (staff.record, staff.archive) == ("ehr1", "pacs-rad")
    assert staff.scanners == {"ct1": "CT", "ct2": "CT", "mr1": "MR", "us1": "US"}
    assert staff.readers == (Reader("ws-rad1", web=False), Reader("ws-tech1", web=True))


def test_a_site_without_a_record_has_no_such_work() -> None:
    with pytest.raises(UsageError, match="no record"):
        Staff.of(committed_site("small-practice"))


def test_all_is_ordered_acquired_and_read_up_to_what_was_asked_for() -> None:
    hospital = Hospital()
    today = day(hospital)
    today.work(5)
    assert (len(today.placed), len(today.acquired), len(today.read)) == (5, 5, 5)
    today.work(12)
    assert (len(today.placed), len(today.acquired), len(today.read)) == (12, 12, 12)
    assert today.placed == hospital.ordered
    assert len(today.images) == 24
    assert today.repeated == []
    assert {call[0] for call in hospital.calls if call[1] == "acquire"} == set(SCANNERS)
    assert {call[0] for call in hospital.calls if call[1] == "read"} <= {"ws-rad1", "ws-tech1"}
    assert all("--web" in call for call in hospital.calls if call[:2] == ["ws-tech1", "read"])


def test_a_study_of_which_images_are_on_their_way_is_read_again() -> None:
    hospital = Hospital()
    hospital.incomplete = {"A1", "A3"}
    today = day(hospital)
    today.work(4)
    assert {accession: set(seen) for accession, seen in today.read.items()} == {
        f"A{number}": set(digests(f"A{number}")) for number in range(1, 5)
    }


def test_work_waits_for_a_host_that_is_away_and_goes_on() -> None:
    hospital = Hospital()
    hospital.away = {"ehr1"}
    today = day(hospital)
    threading.Timer(0.3, hospital.away.clear).start()
    today.work(3)
    assert len(today.read) == 3


def test_work_of_which_nothing_comes_ends_and_says_so() -> None:
    hospital, said = Hospital(), cast("list[str]", [])
    hospital.away = set(SCANNERS)
    today = day(hospital, said)
    today.work(3)
    assert (len(today.placed), len(today.acquired)) == (3, 0)
    assert "nothing has come of the work" in said[-1]
    assert "3 of 12 orders placed, 0 of 24 images acquired" in said[-1]
    assert "does not run" in said[-1]
