"""The generated tables of ``docs/events.md``: keys, actions and reasons of the events that programs write."""

from __future__ import annotations

from simulators.events.actions import ACTIONS
from simulators.events.keys import FACTS, FIXED
from simulators.events.reasons import REASONS
from simulators.events.vocabulary import OUTCOMES


def keys_table() -> str:
    """Return the keys: the fixed ones in their order, then the others."""
    rows = [f"| `{key}` | {means} |" for key, means in [*FIXED.items(), *FACTS.items()]]
    return "\n".join(["| key | meaning |", "| --- | --- |", *rows, ""])


def outcomes_table() -> str:
    """Return the outcomes."""
    rows = [f"| `{outcome}` | {means} |" for outcome, means in OUTCOMES.items()]
    return "\n".join(["| outcome | meaning |", "| --- | --- |", *rows, ""])


def actions_table() -> str:
    """Return the actions with who writes them, as which transaction, and with which keys besides the fixed ones."""
    rows = [
        f"| `{action.word}` | {action.means} | {_words(action.programs)} | {', '.join(action.transactions) or '-'} |"
        f" {_words(action.facts)} |"
        for action in ACTIONS.values()
    ]
    head = ["| action | when | programs | transactions | keys |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])


def reasons_table() -> str:
    """Return the reasons with the outcome that each has."""
    rows = [f"| `{reason.word}` | {reason.outcome} | {reason.means} |" for reason in REASONS.values()]
    return "\n".join(["| reason | outcome | meaning |", "| --- | --- | --- |", *rows, ""])


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words) or "-"
