"""Rows in columns, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines in which the cells of a column begin at one place; the first row may be the headings.

    >>> columns([("HOST", "ZONE"), ("fw1", "guest")])
    ['HOST  ZONE', 'fw1   guest']
    """
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
