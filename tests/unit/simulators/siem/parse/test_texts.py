"""What programs say that a lab in order does not make them say, by their sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulators.events.actions import ACTIONS
from simulators.siem.fields import DATASETS, unknown
from simulators.siem.normalise.lines import of_line
from simulators.siem.parse.reading import Line
from simulators.siem.parse.table import WORDS, read

PREFIX = "user=ris1 db=ris1 app=pacslab-ris1 client=10.24.50.11 "
CASES: list[dict[str, Any]] = [
    json.loads(text) for text in (Path(__file__).parent / "texts.jsonl").read_text("utf-8").splitlines()
]
"""Program, severity and message, and the action, the outcome and some of the facts that it says."""


@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case['program']}-{case['message'][:40]}") for case in CASES])
def test_a_line_says_this(case: dict[str, Any]) -> None:
    line = {"pid": "77", **{key: case[key] for key in ("program", "message", "severity")}}
    found = read(Line(**line))
    assert found is not None
    assert (found.action, found.outcome) == (case["action"], case["outcome"])
    assert case["facts"].items() <= found.facts.items()
    assert found.action in ACTIONS or found.action in WORDS
    fields = of_line({"host": "ris1", **line}, 1767604365.0)
    assert unknown(fields) == []
    assert fields["event.dataset"] == found.dataset
    assert found.dataset in DATASETS


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("Orthanc", "E1127 10:15:24.235109          DICOM-0 CommandDispatcher.cpp:480] Unknown patient DOE^JANE"),
        ("postgresql@17-main", PREFIX + "ERROR:  duplicate key value DETAIL Key (name)=(DOE^JANE) already exists."),
        ("postgresql@17-main", PREFIX + "LOG:  statement: CREATE TABLE doe_jane (DOE^JANE text)"),
        ("apache2", "AH00127: Cannot map GET /DOE^JANE HTTP/1.1 to file"),
    ],
)
def test_no_text_that_could_name_a_patient_is_a_fact(program: str, message: str) -> None:
    found = read(Line(program, "77", message, "err"))
    assert "DOE" not in str(found)


def test_units_are_told_by_the_manager_alone() -> None:
    message = "Stopped pacslab-audit.service - Audit messages of what the host's programs do."
    assert read(Line("systemd", "4711", message)) is None
    found = read(Line("systemd", "1", message))
    assert found is not None
    assert (found.action, found.facts) == ("unit-stop", {"unit": "pacslab-audit.service"})
