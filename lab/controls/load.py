"""Read the files of ``controls/``; every mistake in their form is reported with file, line and remedy."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, ClassVar, TypeVar

from pydantic import ValidationError

from lab.controls.map import ControlMap, Written
from lab.controls.model import PATTERNS, Additions, Corrections, RetiredIds, Row, Table
from lab.settings import ROOT
from lab.topology.model import Strict
from lab.topology.problems import MistakesError, Problem
from lab.topology.shape import shape_problems
from lab.topology.source import read_source

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = ROOT / "controls"
TABLE, CORRECTIONS, RETIRED = "table.yml", "corrections.yml", "retired-ids.yml"
ROWS, EVIDENCE = "rows", "evidence"
PAGE = "docs/controls.md describes every key."

Content = TypeVar("Content", bound=Strict)


class ControlsError(MistakesError):
    """The files of ``controls/`` do not hold together, or do not fit the checks and scenarios that there are."""

    subject: ClassVar = "the map of controls"


def load_map(folder: Path = FOLDER) -> ControlMap:
    """Read the map of controls.

    Raises:
        ControlsError: with every mistake in the form of its files.
    """
    problems: list[Problem] = []
    table = _read(folder / TABLE, Table, problems)
    corrections = _read(folder / CORRECTIONS, Corrections, problems)
    retired = _read(folder / RETIRED, RetiredIds, problems)
    rows = {path.stem: _read(path, Row, problems) for path in sorted((folder / ROWS).glob("*.yml"))}
    additions = [_read(path, Additions, problems) for path in sorted((folder / EVIDENCE).glob("*.yml"))]
    if problems or table is None or corrections is None or retired is None:
        raise ControlsError(problems)
    return ControlMap(
        table=table,
        rows={name: row for name, row in rows.items() if row is not None},
        corrections=corrections,
        retired=retired,
        additions=tuple(written for written in additions if written is not None),
    )


@cache
def controls_of(result_id: str) -> tuple[str, ...]:
    """The rows of the map that a result supports, in the order of the table; none where no row names it.

    Raises:
        ControlsError: the map cannot be read.
    """
    return _known_map().rows_of(result_id)


@cache
def _known_map() -> ControlMap:
    return load_map()


def _read(path: Path, model: type[Content], problems: list[Problem]) -> Written[Content] | None:
    """Read one file; what is wrong with it goes to ``problems``."""
    if not path.is_file():
        problems.append(Problem(path, 0, "There is no such file.", "Write it, or take it from the repository."))
        return None
    source = read_source(path)
    problems += source.problems
    if source.data is None:
        if not source.problems:
            problems.append(Problem(path, 0, "The file is empty.", PAGE))
        return None
    try:
        return Written(model.model_validate(source.data), source)
    except ValidationError as error:
        problems += shape_problems(source, model, error, patterns=PATTERNS, page=PAGE)
        return None
