"""The last step believes only lines of each system itself, as the log collector has them."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.engine.execute import Completed
from lab.topology.load import load_site, site_path
from lab.verify import collected
from lab.verify.collected import Collected

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.lab import Lab

TEXT = "accession=A1 "


class Here:
    """A lab whose hosts are this machine."""

    site = load_site(site_path("reference"))

    def run(self, _: str, argv: list[str], **__: Any) -> Completed:
        """Run a command here."""
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        return Completed(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("program", "message", "believed"),
    [
        ("pacslab-ehr", "transaction=RAD-3 action=status-taken accession=A1 study=2.25.1", True),
        ("pacslab-ehr", "transaction=RAD-3 action=status-taken accession=A12 study=2.25.1", False),
        ("haproxy", "accession=A1 in another program's line", False),
    ],
)
def test_a_line_counts_when_it_is_the_programs_own_and_names_the_number(
    *,
    program: str,
    message: str,
    believed: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(collected, "FOLDER", str(tmp_path))
    half = '{"program": "pacslab-ehr", "message": "accession=A1 '
    (tmp_path / "ehr1.jsonl").write_text(json.dumps({"program": program, "message": message}) + "\n" + half)
    assert Collected(cast("Lab", Here())).has("ehr1", "pacslab-ehr", TEXT) is believed


def test_a_host_that_has_sent_nothing_has_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collected, "FOLDER", str(tmp_path))
    assert not Collected(cast("Lab", Here())).has("ehr1", "pacslab-ehr", TEXT)
