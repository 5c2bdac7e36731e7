"""Events that programs of roles write, held to the tables of the vocabulary."""

from __future__ import annotations

import json
import re
from typing import Any

from simulators.events.actions import ACTIONS
from simulators.events.keys import FIXED
from simulators.events.reasons import REASONS
from simulators.events.vocabulary import Outcome


def check_event(event: dict[str, Any]) -> None:
    """Hold an event to the tables: its action, reason, outcome and keys."""
    action, outcome = ACTIONS[event["action"]], Outcome(event["outcome"])
    assert event.keys() <= FIXED.keys() | set(action.facts)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
    if outcome is Outcome.SUCCESS:
        assert "reason" not in event
    elif outcome is not Outcome.WAITING:
        assert REASONS[event["reason"]].outcome is outcome


def event_of_line(line: str) -> dict[str, Any]:
    """Read a line as the journal takes it: the priority in angle brackets, then the event."""
    found = re.fullmatch(r"<([3-6])>(\{.*\})", line)
    assert found is not None, line
    event: dict[str, Any] = json.loads(found[2])
    check_event(event)
    return event
