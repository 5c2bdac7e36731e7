"""Holds ``corrections.yml`` against the rows: what is said to stand now does, and what stood does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.controls.map import ControlMap
    from lab.topology.problems import Problem

CATEGORY, HEADING = "category", "heading"
"""Columns that no row's file has: a category's title, and what is said of the table as a whole."""


def wrong_corrections(controls: ControlMap) -> Iterator[Problem]:
    """Corrections that were not made, or that speak of a cell which does not exist."""
    content, source = controls.corrections.content, controls.corrections.source
    for position, entry in enumerate(content.corrections):
        if entry.column == HEADING:
            continue
        where = ("corrections", position)
        cell = _cell(controls, entry.row or "", entry.column)
        wrong = _missing(cell, entry.stands) or _still(cell, entry.stood, entry.stands)
        if wrong:
            yield source.problem(where, f"{entry.row}, {entry.column}: {wrong}", "Correct the row, or this entry.")
    for position, left in enumerate(content.left):
        wrong = _missing(_cell(controls, left.row, left.column), left.stands)
        if wrong:
            yield source.problem(
                ("left", position),
                f"{left.row}, {left.column}: {wrong}",
                "Correct this entry, or list what was corrected.",
            )


def _missing(cell: Sequence[str] | None, stands: str) -> str:
    """Say what of ``stands`` a cell lacks; empty when it has all of it."""
    if cell is None:
        return "there is no such cell."
    text = ", ".join(cell)
    if not stands:
        return f"the cell is not empty: {text}." if cell else ""
    return (
        "" if _parts(stands) <= set(cell) or _in_prose(cell, stands) else f"{stands} does not stand there, but {text}."
    )


def _still(cell: Sequence[str] | None, stood: str, stands: str) -> str:
    """Say that what was corrected is still there; empty when it is gone."""
    left = (_parts(stood) - _parts(stands)) & set(cell or ())
    if left or (stood not in stands and _in_prose(cell or (), stood)):
        return f"{stood} still stands there."
    return ""


def _parts(text: str) -> set[str]:
    return set(text.split(", "))


def _in_prose(cell: Sequence[str], text: str) -> bool:
    """Whether a cell is a sentence, and has the text; in a list of ids, a part of an id means nothing."""
    return len(cell) == 1 and " " in cell[0] and text in cell[0]


def _cell(controls: ControlMap, row: str, column: str) -> Sequence[str] | None:
    if column == CATEGORY:
        return next(([place.category.title] for place in controls.places() if place.row == row), None)
    if row not in controls.rows:
        return None
    try:
        return controls.rows[row].content.column(column)
    except KeyError:
        return None
