"""The map of controls as it was read: its rows in order, and which of them a result supports."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from lab.topology.model import Strict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.controls.model import Additions, Category, Corrections, Function, RetiredIds, Row, Table
    from lab.topology.source import Key, Source

Content = TypeVar("Content", bound=Strict)


@dataclass(frozen=True)
class Written(Generic[Content]):
    """A file's content, and on which lines its parts are."""

    content: Content
    source: Source


class Place(NamedTuple):
    """Where a row belongs."""

    function: Function
    category: Category
    row: str


@dataclass(frozen=True)
class Claim:
    """One place of a file that names results as evidence of a row."""

    row: str
    pattern: str
    source: Source
    where: Key

    def covers(self, result_id: str) -> bool:
        """Whether the result is among those that are named."""
        return fnmatchcase(result_id, self.pattern)


@dataclass(frozen=True)
class ControlMap:
    """Everything of ``controls/``; ``rows`` has every file of ``rows/`` by its id, also one that the table lacks."""

    table: Written[Table]
    rows: Mapping[str, Written[Row]]
    corrections: Written[Corrections]
    retired: Written[RetiredIds]
    additions: tuple[Written[Additions], ...]

    def places(self) -> Iterator[Place]:
        """The rows in the order of the table, each with its function and category."""
        for function in self.table.content.functions:
            for category in function.categories:
                for row in category.rows:
                    yield Place(function, category, row)

    def claims(self) -> Iterator[Claim]:
        """What is named as evidence: in the rows' own files, and in the files that checks and scenarios bring along."""
        for name, row in self.rows.items():
            for position, pattern in enumerate(row.content.evidence):
                yield Claim(name, pattern, row.source, ("evidence", position))
        for additions in self.additions:
            for name, patterns in additions.content.supports.items():
                for position, pattern in enumerate(patterns):
                    yield Claim(name, pattern, additions.source, ("supports", name, position))

    def rows_of(self, result_id: str) -> tuple[str, ...]:
        """The rows that a result supports, in the order of the table."""
        claimed = {claim.row for claim in self.claims() if claim.covers(result_id)}
        return tuple(place.row for place in self.places() if place.row in claimed)
