"""Access in an emergency ends by itself, outlives a restart, and can be read afterwards."""

from __future__ import annotations

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from simulators.access.denied import DeniedError
from simulators.access.subject import Subject
from simulators.errors import NotReadyError
from simulators.gateway import emergencies
from simulators.gateway.break_glass import MOST_PATIENTS, Grants
from simulators.gateway.ends import tell_ended, tell_ends
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


def test_an_end_is_told_once_also_over_a_restart(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    clock = Clock()
    grants = Grants(tmp_path / "grants.json", minutes=60, clock=clock)
    grants.grant(OKAFOR, "P2", WHY)
    tell_ended(grants)
    assert events == []
    clock.now += 3601
    tell_ended(grants)
    tell_ended(grants)
    tell_ended(Grants(tmp_path / "grants.json", clock=clock))
    (event,) = events
    wanted = {"action": "emergency-ends", "outcome": "success", "person": "n.okafor", "patient": "P2", "seconds": 3600}
    assert wanted.items() <= event.items()


def test_an_end_while_nobody_looked_is_told_later(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    clock = Clock()
    Grants(tmp_path / "grants.json", minutes=60, clock=clock).grant(OKAFOR, "P2", WHY)
    clock.now += 7200
    tell_ended(Grants(tmp_path / "grants.json", clock=clock))
    assert [event["patient"] for event in events] == ["P2"]


def test_who_takes_access_anew_before_it_ends_has_one_end(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    clock = Clock()
    grants = Grants(tmp_path / "grants.json", minutes=60, clock=clock)
    grants.grant(OKAFOR, "P2", WHY)
    clock.now += 1800
    grants.grant(OKAFOR, "P2", WHY)
    clock.now += 1900
    tell_ended(grants)
    assert events == []
    clock.now += 1800
    tell_ended(grants)
    assert len(events) == 1


def test_the_service_tells_an_end_when_it_comes(tmp_path: Path, events: list[dict[str, Any]]) -> None:
    grants = Grants(tmp_path / "grants.json", minutes=0.002)
    grants.grant(OKAFOR, "P2", WHY)

    async def look() -> None:
        telling = asyncio.create_task(tell_ends(grants))
        while not events:  # noqa: ASYNC110 - a log handler fills them
            await asyncio.sleep(0.01)
        telling.cancel()

    asyncio.run(asyncio.wait_for(look(), 8))
    assert [event["action"] for event in events] == ["emergency-ends"]
