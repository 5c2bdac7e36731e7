"""The last step believes only lines of each system itself, as the log collector has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.lab.hospital.collector_files import collected_in, line

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "accession=A1 "


@pytest.mark.parametrize("rotated", [False, True])
@pytest.mark.parametrize(
    ("program", "message", "believed"),
    [
        ("pacslab-ehr", "transaction=RAD-3 action=status-taken accession=A1 study=2.25.1", True),
        ("pacslab-ehr", "transaction=RAD-3 action=status-taken accession=A12 study=2.25.1", False),
        ("haproxy", "accession=A1 in another program's line", False),
    ],
)
def test_a_line_counts_when_it_is_the_programs_own_and_names_the_number(
    *, program: str, message: str, believed: bool, rotated: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = '{"program": "pacslab-ehr", "message": "accession=A1 '
    name = "ehr1.jsonl-20260101-1767225600" if rotated else "ehr1.jsonl"
    (tmp_path / name).write_text(line(program, message) + half)
    assert collected_in(tmp_path, monkeypatch).has("ehr1", "pacslab-ehr", TEXT) is believed


def test_a_host_that_has_sent_nothing_has_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not collected_in(tmp_path, monkeypatch).has("ehr1", "pacslab-ehr", TEXT)
