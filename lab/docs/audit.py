"""The generated tables of ``docs/audit.md``: which event becomes which audit message, and what is no security audit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.audit.table import NOT_AUDITED, NOT_AUDITED_PARTS, TABLE
from simulators.audit.told import OF_OTHERS

if TYPE_CHECKING:
    from simulators.audit.table import Row


def messages_table() -> str:
    """Return the rows of the table, in the order in which they are tried."""
    rows = [
        f"| `{row.action}` | {_when(row)} | {row.event.value} {row.event.meaning} |"
        f" {f'{row.type.value} {row.type.meaning}' if row.type else '-'} | {row.does} | {row.who.value} |"
        f" {'; '.join(about.value for about in row.about) or '-'} |"
        for rows in TABLE.values()
        for row in rows
    ]
    head = ["| action | where | EventID | EventTypeCode | code | participants | objects |", "| --- " * 7 + "|"]
    return "\n".join([*head, *rows, ""])


def others_table() -> str:
    """Return what is read as an action although it is no event of a program of ours."""
    rows = [f"| `{action}` | {means} |" for action, means in OF_OTHERS.items()]
    return "\n".join(["| action | read from |", "| --- | --- |", *rows, ""])


def left_out_table() -> str:
    """Return what becomes no message, with why: whole actions first, then parts of others."""
    whole = [f"| `{action}` | all: {why} |" for action, why in sorted(NOT_AUDITED.items())]
    parts = [f"| `{action}` | {why} |" for action, why in sorted(NOT_AUDITED_PARTS.items())]
    return "\n".join(["| action | what is left out |", "| --- | --- |", *whole, *parts, ""])


def _when(row: Row) -> str:
    told = [
        *([_words(row.outcomes)] if row.outcomes else []),
        *([f"by {_words(row.programs)}"] if row.programs else []),
        *(
            f"`{key}`" + (f" is {_words(sorted(values))}" if values else " is told")
            for key, values in row.values.items()
        ),
        *([f"once in {row.once:.0f} s"] if row.once else []),
        *(["beside the next"] if row.beside else []),
    ]
    return "; ".join(told) or "-"


def _words(words: object) -> str:
    return ", ".join(f"`{word}`" for word in words)  # type: ignore[attr-defined]
