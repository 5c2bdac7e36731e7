"""The last step believes only events of each system itself, as the log collector has them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.lab.hospital.collector_files import collected_in

if TYPE_CHECKING:
    from pathlib import Path

STATUS = {"action": "order-status", "outcome": "success", "accession": "A1"}
SOUGHT = {"program": "pacslab-ehr", **STATUS}


def line(program: str, data: dict[str, Any]) -> str:
    """One event as the collector writes it."""
    return json.dumps({"program": program, "message": json.dumps(data), "data": data}) + "\n"


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize(
    ("program", "data", "believed"),
    [
        ("pacslab-ehr", {**STATUS, "study": "2.25.1"}, True),
        ("pacslab-ehr", {**STATUS, "accession": "A12"}, False),
        ("pacslab-ehr", {**STATUS, "outcome": "refused"}, False),
        ("haproxy", STATUS, False),
    ],
)
def test_an_event_counts_when_it_is_the_programs_own_and_names_the_number(
    *,
    program: str,
    data: dict[str, Any],
    believed: bool,
    rotated: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    half = line("pacslab-ehr", STATUS)[:-2]
    name = "ehr1.jsonl-20260101-1767225600" if rotated else "ehr1.jsonl"
    (tmp_path / name).write_text(line(program, data) + half)
    assert collected_in(tmp_path, monkeypatch).has_event("ehr1", **SOUGHT) is believed


def test_a_host_that_has_sent_nothing_has_no_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not collected_in(tmp_path, monkeypatch).has_event("ehr1", **SOUGHT)
