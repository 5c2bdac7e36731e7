"""What is read of a host's log after a mark is each whole line once, also when the log is rotated meanwhile."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.lab.hospital.collector_files import collected_in, line

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

ROTATED = "ct1.jsonl-20260101-1767225600"


def messages(lines: list[dict[str, Any]]) -> list[str]:
    return [entry["message"] for entry in lines]


def test_lines_are_read_once_and_a_half_one_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, reader = tmp_path / "ct1.jsonl", collected_in(tmp_path, monkeypatch)
    log.write_text(line("a", "before"))
    mark = reader.mark("ct1")
    with log.open("a") as more:
        second = line("a", "second")
        print(line("a", "first"), second[:9], sep="", end="", file=more, flush=True)
        lines, mark = reader.following("ct1", mark)
        assert messages(lines) == ["first"]
        print(second[9:], end="", file=more, flush=True)
        lines, mark = reader.following("ct1", mark)
        assert messages(lines) == ["second"]
    assert reader.following("ct1", mark) == ([], mark)


def test_a_log_that_begins_after_the_mark_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = collected_in(tmp_path, monkeypatch)
    mark = reader.mark("ct1")
    (tmp_path / "ct1.jsonl").write_text(line("a", "first"))
    assert messages(reader.since("ct1", mark)) == ["first"]


def test_what_is_rotated_away_is_read_to_its_end_and_then_its_successor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, reader = tmp_path / "ct1.jsonl", collected_in(tmp_path, monkeypatch)
    log.write_text(line("a", "a long line before the mark"))
    mark = reader.mark("ct1")
    with log.open("a") as more:
        log.rename(tmp_path / ROTATED)
        log.write_text(line("a", "new"))
        lines, mark = reader.following("ct1", mark)
        assert messages(lines) == ["new"]
        print(line("a", "late"), end="", file=more, flush=True)  # until rsyslog opens the new file, it writes here
    assert messages(reader.since("ct1", mark)) == ["late"]


def test_bytes_that_are_no_text_do_not_move_the_mark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, reader = tmp_path / "ct1.jsonl", collected_in(tmp_path, monkeypatch)
    log.write_bytes(b'{"message": "\xff\xfe"}\n')
    lines, mark = reader.following("ct1", {})
    assert messages(lines) == ["\ufffd\ufffd"]
    with log.open("a") as more:
        more.write(line("a", "next"))
    assert messages(reader.since("ct1", mark)) == ["next"]


def test_what_was_there_before_a_mark_is_whole_lines_within_a_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, reader = tmp_path / "ct1.jsonl", collected_in(tmp_path, monkeypatch)
    (tmp_path / ROTATED).write_text(line("a", "rotated"))
    log.write_text(line("a", "first") + line("a", "second"))
    mark = reader.mark("ct1")
    with log.open("a") as more:
        more.write(line("a", "after"))
    assert messages(reader.before("ct1", mark, 1000)) == ["rotated", "first", "second"]
    assert messages(reader.before("ct1", mark, len(line("a", "second")) + 4)) == ["rotated", "second"]


def event(program: str, **data: object) -> str:
    """One event as the collector writes it."""
    return json.dumps({"program": program, "message": json.dumps(data), "data": data}) + "\n"


REFUSED = {"action": "query", "outcome": "refused", "reason": "foreign-worklist", "ae_title": "CT1"}


def test_an_event_is_found_by_all_the_keys_that_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, reader = tmp_path / "ris1.jsonl", collected_in(tmp_path, monkeypatch)
    log.write_text(event("pacslab-ris", **REFUSED))
    mark = reader.mark("ris1")
    with log.open("a") as more:
        more.write(line("pacslab-ris", json.dumps(REFUSED)))  # text that only looks like one
        more.write(event("pacslab-ris", **{**REFUSED, "outcome": "success"}))
        more.write(event("pacslab-modality", **REFUSED))
        more.write(event("pacslab-ris", **REFUSED, station="MR1"))
    found = reader.wait("ris1", mark, timeout=0, program="pacslab-ris", outcome="refused", ae_title="CT1")
    assert found is not None
    assert found["data"]["station"] == "MR1"
    assert reader.wait("ris1", mark, timeout=0, outcome="refused", ae_title="CT2") is None


@pytest.mark.parametrize(
    ("keys", "there"),
    [
        ({"action": "query", "ae_title": "CT1"}, True),
        ({"action": "query", "ae_title": "CT"}, False),
        ({"found": 0}, True),
        ({"path": "/a b"}, True),
        ({"program": "haproxy", "action": "query"}, False),
    ],
)
def test_an_event_of_any_time_is_found(
    keys: dict[str, object], *, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = event("pacslab-ris", **REFUSED, found=0, path="/a b")
    (tmp_path / "ris1.jsonl").write_text(line("haproxy", "query CT1") + text)
    assert collected_in(tmp_path, monkeypatch).has_event("ris1", **keys) is there
