"""Whatever a peer sends, an event is one line of JSON, of bounded length, with the fixed keys first."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from simulators.events.actions import ACTIONS, ECHO, QUERY, RECEIVE
from simulators.events.keys import FIXED, GIVEN
from simulators.events.line import LONGEST, event_of, text_of
from simulators.events.reasons import FOREIGN_WORKLIST
from simulators.events.vocabulary import Outcome

LONGEST_LINE = 48 * 1024
"""Octets that journald keeps of a line (journald.conf(5), LineMax=)."""
FOREIGN = [
    'A1"}\n{"action": "receive", "outcome": "success',
    "A1\r\n<0>kernel: panic",
    "\x1b[2J\x1b]0;owned\x07",
    "\u2028\u202egnp.exe",
    "\x00\x7f\x85",
    "x" * 100_000,
    "\U0001f600" * 100_000,
    "\U000e0001" * 100_000,
    "\ud800",
]


def told(**facts: object) -> dict[str, Any]:
    """An event as the collector reads it."""
    event: dict[str, Any] = json.loads(text_of(event_of(RECEIVE, Outcome.SUCCESS, None, facts)))
    return event


def test_the_fixed_keys_come_first_and_in_their_order() -> None:
    facts = {"station": "MR1", "peer": "ct1", "accession": "A1", "ae_title": "CT1", "transaction": "RAD-5"}
    event = event_of(QUERY, Outcome.REFUSED, FOREIGN_WORKLIST, facts)
    fixed = ["time", "action", "outcome", "reason", "transaction", "ae_title", "accession", "peer"]
    assert list(event) == [*fixed, "station"]
    assert [name for name in FIXED if name in event] == fixed


def test_time_is_utc_with_milliseconds() -> None:
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", told()["time"])


def test_what_is_unknown_is_left_out_and_numbers_stay_numbers() -> None:
    event = told(accession="", study=None, octets=0, control_id="C1")
    assert {"octets": 0, "control_id": "C1"}.items() <= event.items()
    assert not {"accession", "study"} & event.keys()


def test_an_action_with_one_transaction_has_it() -> None:
    assert event_of(ECHO, Outcome.SUCCESS, None, {})["transaction"] == "C-ECHO"


def test_what_an_action_does_not_declare_is_not_written() -> None:
    event = told(name="Weber^Anna", transaction="RAD-99")
    assert sorted(event["undeclared"]) == ["name", "transaction"]
    assert not {"name", "transaction"} & event.keys()
    assert "Weber" not in str(event)


@pytest.mark.parametrize("foreign", FOREIGN, ids=range(len(FOREIGN)))
def test_foreign_text_makes_no_line_and_no_key(foreign: str) -> None:
    for action in ACTIONS.values():
        facts = dict.fromkeys([*GIVEN, *action.facts], foreign)
        line = text_of(event_of(action, Outcome.SUCCESS, None, facts))
        assert line.isprintable()
        assert len(line.encode()) < LONGEST_LINE
        event = json.loads(line)
        assert event.keys() <= facts.keys() | {"time", "action", "outcome", "transaction"}
        assert event["action"] == action.word
        assert all(len(event[name]) <= LONGEST for name in facts)


def test_a_long_list_is_cut() -> None:
    event = json.loads(text_of(event_of(ACTIONS["start"], Outcome.SUCCESS, None, {"callers": ["A\n"] * 1000})))
    assert event["callers"] == ["A\\n"] * 16
