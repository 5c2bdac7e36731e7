"""What every test of the simulators has: its events, none with what its action does not declare; no pool afterwards."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from simulators.database import close_all
from simulators.events.report import EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = ("Weber", "Anna")
"""Of the patient of these tests."""


class _Catcher(logging.Handler):
    def __init__(self, caught: list[dict[str, Any]]) -> None:
        super().__init__(logging.INFO)
        self.caught = caught

    def emit(self, record: logging.LogRecord) -> None:
        self.caught.append(vars(record)["event"])


@pytest.fixture(autouse=True)
def events() -> Iterator[list[dict[str, Any]]]:
    """The events of a test, the oldest first."""
    caught: list[dict[str, Any]] = []
    handler = _Catcher(caught)
    EVENTS.addHandler(handler)
    EVENTS.setLevel(logging.INFO)
    yield caught
    EVENTS.removeHandler(handler)
    assert [event for event in caught if "undeclared" in event] == []
    assert [event for event in caught if any(name in str(event) for name in NAMES)] == []


@pytest.fixture(autouse=True)
def _no_connections_left() -> Iterator[None]:
    yield
    close_all()
