"""Every action of the events is an audit message or is said to be none; every row can be reached."""

from __future__ import annotations

import pytest

from simulators.audit.table import FIRST, NOT_AUDITED, NOT_AUDITED_PARTS, START_OF_ITS_OWN, TABLE, Row, rows_for
from simulators.audit.told import OF_OTHERS, Told
from simulators.events.actions import ACTIONS
from simulators.events.keys import FACTS, FIXED
from simulators.events.vocabulary import Outcome
from simulators.siem.audit_rules import RULES
from tests.unit.simulators.audit.events import ROWS, event_for, identify, told


def test_every_action_becomes_a_message_or_is_said_to_be_no_security_audit() -> None:
    assert set(ACTIONS) == (TABLE.keys() - OF_OTHERS.keys()) | NOT_AUDITED.keys()
    assert not TABLE.keys() & NOT_AUDITED.keys()
    assert OF_OTHERS.keys() <= TABLE.keys()


def whole(action: str) -> bool:
    """Whether every event of an action becomes a message, with whatever facts."""
    programs = ACTIONS[action].programs if action in ACTIONS else ("systemd",)
    events = (Told(action, end, "", program, "1", {}) for program in programs for end in Outcome)
    return all(any(not row.beside for row in rows_for(event)) for event in events)


def test_what_is_left_out_of_an_action_is_said() -> None:
    assert NOT_AUDITED_PARTS.keys() == {action for action in TABLE if not whole(action)}


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_a_row_is_reached_and_is_what_the_standard_has(row: Row) -> None:
    assert row in rows_for(event_for(row))
    rule = RULES[row.event.value]
    assert row.does in rule.actions
    if rule.types is not None:
        assert row.type is not None
        assert row.type.value in rule.types


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_a_row_asks_for_what_an_event_of_its_action_can_have(row: Row) -> None:
    action = ACTIONS.get(row.action)
    if action is None:
        assert row.action in OF_OTHERS
        return
    declared = {*FIXED, *action.facts, FIRST}
    assert row.values.keys() - {"message_type"} <= declared
    assert set(row.programs) <= set(action.programs)
    assert set(row.values.get("transaction", ())) <= set(action.transactions)
    assert {*FIXED, *FACTS, FIRST} >= row.values.keys()


def test_the_start_of_a_service_that_tells_it_itself_is_told_once() -> None:
    unit = min(START_OF_ITS_OWN)
    line = {"MESSAGE_ID": "39f53479d3a045ac8e11786248231fbf", "_PID": "1"}
    assert list(rows_for(told("Started.", "systemd", **line, UNIT=unit))) == []
    assert [
        row.type.value for row in rows_for(told("Started.", "systemd", **line, UNIT="nsd.service")) if row.type
    ] == ["110120"]


def test_a_merged_patient_is_told_of_beside_the_one_that_survives() -> None:
    event = told({"action": "merge-patients", "outcome": "success", "patient": "P2", "prior": "P1"})
    assert [(row.event.value, row.does) for row in rows_for(event)] == [("110110", "D"), ("110110", "U")]


def test_what_is_let_in_is_no_audit_message_but_for_a_first_time() -> None:
    line = {"action": "associate", "outcome": "success", "certificate": "ct1.imaging.internal"}
    assert list(rows_for(told(line, "haproxy"))) == []
    assert [row.event.value for row in rows_for(told({**line, FIRST: True}, "haproxy"))] == ["110108"]
    refused = told({**line, "outcome": "refused", "reason": "ae-mismatch"}, "haproxy")
    assert [row.event.value for row in rows_for(refused)] == ["110113"]
    assert refused.outcome == Outcome.REFUSED
