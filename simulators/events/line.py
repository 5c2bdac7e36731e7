"""How an event becomes a line: JSON with the fixed keys first, and nothing in it that could begin another line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.events.keys import FIXED, GIVEN
from simulators.printable import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.events.vocabulary import Action, Facts, Outcome, Reason

LONGEST = 200
"""Characters of a value; a UID has 64, a control id 199 (HL7 v2.5.1). What is longer is cut, and ends with ``…``."""
MOST = 16
"""Values of a list."""

Value = str | int | float | bool | list[str]
"""What can stand in a line."""


def event_of(action: Action, outcome: Outcome, reason: Reason | None, facts: Facts) -> dict[str, Value]:
    """Return an event: the fixed keys that are known, in their order, and then the facts that its action may have.

    Facts that are None or empty are left out. Of those that the action does not declare only the names are told, also
    of a transaction that is none of the action's. Where it has one transaction, it is that one.
    """
    given = {name: _value(fact) for name, fact in facts.items() if fact is not None and fact != ""}
    if len(action.transactions) == 1:
        given = {"transaction": action.transactions[0], **given}
    declared = {name: value for name, value in given.items() if _declares(action, name, value)}
    event: dict[str, Value] = {
        "time": datetime.now(tz=UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "action": action.word,
        "outcome": outcome.value,
    }
    if reason is not None:
        event["reason"] = reason.word
    event |= {name: declared.pop(name) for name in FIXED if name in declared} | declared
    undeclared = [name for name in given if name not in event]
    return event | ({"undeclared": undeclared} if undeclared else {})


def _declares(action: Action, name: str, value: Value) -> bool:
    if name == "transaction":
        return value in action.transactions
    return name in action.facts or name in GIVEN


def text_of(event: Mapping[str, Value]) -> str:
    """Return an event as one line.

    >>> text_of({"action": "echo", "outcome": "success"})
    '{"action": "echo", "outcome": "success"}'
    """
    return json.dumps(event, ensure_ascii=False)


def _value(fact: object) -> Value:
    if isinstance(fact, bool | int | float):
        return fact
    if isinstance(fact, list | tuple | set | frozenset):
        return [_text(part) for part in list(fact)[:MOST]]
    return _text(fact)


def _text(fact: object) -> str:
    text = printable(str(fact)[: LONGEST + 1])
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
