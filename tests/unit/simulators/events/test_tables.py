"""Actions, reasons and keys are one table each: every word once, in plain form, with what it means."""

from __future__ import annotations

import re

import pytest

from simulators.commands import COMMANDS
from simulators.errors import SimulatorError
from simulators.events import actions, reasons
from simulators.events.keys import FACTS, FIXED
from simulators.events.report import CAUSES
from simulators.events.vocabulary import OUTCOMES, Action, Outcome, Reason
from simulators.ris import requests

WORD = re.compile(r"[a-z]+(-[a-z]+)*")


def declared(module: object, kind: type) -> list[object]:
    return [value for value in vars(module).values() if isinstance(value, kind)]


def test_every_action_and_reason_is_in_its_table_once() -> None:
    assert list(actions.ACTIONS.values()) == declared(actions, Action)
    assert list(reasons.REASONS.values()) == declared(reasons, Reason)


@pytest.mark.parametrize("word", [*actions.ACTIONS, *reasons.REASONS])
def test_a_word_is_lower_case_with_hyphens(word: str) -> None:
    assert WORD.fullmatch(word)


def test_each_key_stands_once() -> None:
    assert not FIXED.keys() & FACTS.keys()


def test_each_fact_of_an_action_has_a_meaning_and_each_meaning_an_action() -> None:
    used = {fact for action in actions.ACTIONS.values() for fact in action.facts}
    assert used | {"undeclared"} == FACTS.keys()


def test_every_command_is_a_program_of_the_table() -> None:
    programs = {program for action in actions.ACTIONS.values() for program in action.programs}
    assert set(COMMANDS) <= programs


def test_a_reason_says_refused_or_failed() -> None:
    assert {reason.outcome for reason in reasons.REASONS.values()} == {Outcome.REFUSED, Outcome.FAILED}
    assert OUTCOMES.keys() == set(Outcome)


def test_every_error_has_a_reason() -> None:
    def below(kind: type[SimulatorError]) -> set[type[SimulatorError]]:
        return {kind} | {deeper for child in kind.__subclasses__() for deeper in below(child)}

    kinds = {kind for kind in below(SimulatorError) if kind.__module__ == SimulatorError.__module__}
    assert kinds - {SimulatorError} == CAUSES.keys()


def test_every_status_of_a_refused_request_has_a_reason() -> None:
    statuses = {value for name, value in vars(requests).items() if name.isupper() and isinstance(value, int)}
    assert statuses - {requests.SUCCESS} == requests.REASONS.keys()
