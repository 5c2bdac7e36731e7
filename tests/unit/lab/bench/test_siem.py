"""What is sent to measure the repository it stores and alarms about; what that took is counted by unit."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from lab.bench.programs import used
from lab.bench.siem import Alarmed, Measured, Use, a_message
from lab.hospital.programs import audit_stream
from simulators.siem.intake.examine import Examiner
from simulators.siem.intake.header import read_header
from simulators.siem.judge.judge import Judge
from simulators.siem.normalise.moment import seconds_of
from simulators.siem.sigma.read import load

if TYPE_CHECKING:
    from pathlib import Path

WHEN = "2026-01-05T09:12:44.310Z"
RUN = "0b4ec0b1-1111-4111-8111-000000000001"


def alerts(contents: list[bytes], judge: Judge) -> list[str]:
    """The rules that messages raise alerts of, as the repository reads and judges them."""
    asked = {"run": RUN, "first": 1, "when": WHEN}
    stream, examiner, found = audit_stream.Stream(asked, contents), Examiner(), []
    for number in range(1, len(contents) + 1):
        _, _, message = stream.framed(number).partition(b" ")
        header = read_header(message)
        assert header is not None
        fields, reason = examiner.examine(header, "ct1", seconds_of(WHEN) or 0)
        assert fields, reason
        found += [alert.file for alert in judge.judge(number, audit_stream.json.loads(fields))]
    return found


def test_messages_are_stored_and_raise_no_alert() -> None:
    contents = audit_stream.contents_of({"when": WHEN})
    assert len({len(content) for content in contents}) < 20
    assert alerts(contents[:50], Judge(load())) == []


def test_each_alarming_message_raises_its_alert_at_once() -> None:
    contents = audit_stream.contents_of({"when": WHEN, "run": RUN, "alarming": True})
    assert alerts(contents[:50], Judge(load())) == ["dicom-title-of-another"] * 50


def process(folder: Path, number: int, unit: str, ticks: tuple[int, int, int, int], pages: int) -> None:
    """A process as proc(5) shows it."""
    place = folder / str(number)
    place.mkdir()
    (place / "cgroup").write_text(f"0::/system.slice/{unit}\n")
    (place / "stat").write_text(f"{number} (a b) c) S {' '.join(['0'] * 10)} {' '.join(map(str, ticks))} 0 0\n")
    (place / "statm").write_text(f"999 {pages + 3} 3 1 0 50 0\n")


def test_what_processes_took_is_their_units_with_that_of_children_that_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    process(tmp_path, 1, "a.service", (100, 50, 30, 20), 10)
    process(tmp_path, 2, "a.service", (1, 2, 0, 0), 5)
    process(tmp_path, 3, "b.service", (400, 0, 0, 0), 7)
    (tmp_path / "4").mkdir()  # has ended meanwhile
    (tmp_path / "self").mkdir()
    monkeypatch.setattr(used, "PROC", tmp_path)
    monkeypatch.setattr(used, "TICK", 100)
    monkeypatch.setattr(used, "PAGE", 1024)
    found = used.used(["a.service"])
    assert found == {
        "a.service": {"seconds": pytest.approx(2.03), "octets": 15 << 10},
        "rest": {"seconds": pytest.approx(4.0), "octets": 0},
    }


def test_it_reads_the_processes_of_a_machine() -> None:
    before = used.used([])["rest"]["seconds"]
    while os.times().user < 0.2:
        pass
    assert used.used([])["rest"]["seconds"] >= before > 0


def test_processor_time_is_told_by_message() -> None:
    before = {"edge": Use(seconds=1, octets=0), "core": Use(seconds=2, octets=0)}
    after = {"edge": Use(seconds=1.5, octets=0), "core": Use(seconds=4, octets=0)}
    assert a_message(before, after, 100_000, 0.4, ["edge", "core"]) == {
        "sender": 4.0, "edge": 5.0, "core": 20.0, "all": 29.0,
    }  # fmt: skip


@pytest.mark.parametrize(("stored", "alerts", "passed"), [(9, 5, True), (8, 5, False), (9, 4, False)])
def test_it_fails_where_something_accepted_is_missing(stored: int, alerts: int, passed: bool) -> None:  # noqa: FBT001
    measured = Measured(
        accepted=9,
        stored=stored,
        a_second=1,
        peer_a_second=1,
        ratio=1,
        median=0,
        slowest=0,
        alarmed_at_rest=Alarmed(5, alerts, 0, 0),
        alarmed_under_load=Alarmed(5, 5, 0, 0),
        processor={},
        peer_processor={},
        memory={},
        disk=0,
    )
    assert measured.passed is passed
    assert measured.as_dict()["passed"] is passed
