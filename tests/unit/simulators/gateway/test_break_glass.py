"""Access in an emergency ends by itself, outlives a restart, and can be read afterwards."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import pytest

from simulators.access.denied import DeniedError
from simulators.access.subject import Subject
from simulators.errors import NotReadyError
from simulators.gateway import emergencies
from simulators.gateway.break_glass import MOST_PATIENTS, Grants
from tests.unit.simulators.peers import ris_settings

if TYPE_CHECKING:
    from pathlib import Path

OKAFOR = Subject("n.okafor", ("referring-clinician",), "Internal medicine", "s1")
WHY = "Unconscious in the emergency room"


class Clock:
    """A clock that is set by hand."""

    now = 1_000_000.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


def test_access_ends_after_its_time_and_not_with_a_restart(tmp_path: Path) -> None:
    clock = Clock()
    Grants(tmp_path / "grants.json", minutes=60, clock=clock).grant(OKAFOR, "P2", WHY)
    again = Grants(tmp_path / "grants.json", minutes=60, clock=clock)
    assert again.patients("n.okafor") == {"P2"}
    assert again.patients("d.weiss") == frozenset()
    clock.now += 3601
    assert again.patients("n.okafor") == frozenset()


def test_nobody_opens_more_than_a_few_patients_at_a_time(tmp_path: Path) -> None:
    clock = Clock()
    grants = Grants(tmp_path / "grants.json", clock=clock)
    for number in range(MOST_PATIENTS):
        grants.grant(OKAFOR, f"P{number}", WHY)
    grants.grant(OKAFOR, "P0", WHY)  # longer for one of them
    with pytest.raises(DeniedError, match="already"):
        grants.grant(OKAFOR, "P9", WHY)
    clock.now += 3601
    grants.grant(OKAFOR, "P9", WHY)


def test_why_access_was_taken_can_be_read_for_a_month(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    clock = Clock()
    grants = Grants(tmp_path / "emergencies.json", clock=clock)
    grants.grant(OKAFOR, "P2", WHY)
    clock.now += 20 * 86400
    grants.grant(OKAFOR, "P3", WHY)
    found = emergencies.listing(argparse.Namespace(), ris_settings())
    assert [(row["person"], row["patient"], row["reason"]) for row in found.data] == [
        ("n.okafor", "P2", WHY),
        ("n.okafor", "P3", WHY),
    ]
    assert found.data[0]["since"] == "1970-01-12T13:46:40+00:00"
    clock.now += 20 * 86400
    grants.grant(OKAFOR, "P4", WHY)
    assert [row["patient"] for row in emergencies.listing(argparse.Namespace(), ris_settings()).data] == ["P3", "P4"]


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"person": "x"}]'])
def test_grants_that_cannot_be_read_are_not_taken_for_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "grants.json").write_text(content)
    with pytest.raises(NotReadyError):
        Grants(tmp_path / "grants.json")
