"""``pacslab controls``: the map of controls, with the evidence of a lab's last runs."""

from __future__ import annotations

import json
import textwrap
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.cli.target import described_lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lab.controls.map import ControlMap
    from lab.controls.standing import Evidence, RowStanding

EXAMPLE = """
pacslab controls
pacslab controls ALOF
pacslab controls PR --lab reference --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which rows, and which of them."""
    parser.add_argument("rows", nargs="*", metavar="ROW", help="a row, category or function by its id; none for all")
    parser.add_argument(
        "--standing", metavar="WORD", help="only rows that are so: supported, failed, 'not run' or 'nothing yet'"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show the rows; 0 whatever is known of them."""
    from lab.controls.load import load_map  # noqa: PLC0415 # pydantic is slow to import, and --help needs none of it
    from lab.controls.promises import promises_for  # noqa: PLC0415
    from lab.controls.standing import standings  # noqa: PLC0415
    from lab.results.store import latest  # noqa: PLC0415

    controls, lab = load_map(), described_lab(arguments)
    rows = standings(controls, promises_for(lab.site), latest(lab.folder))
    wanted = _chosen(rows, arguments.rows, arguments.standing)
    if arguments.json:
        print(json.dumps({"lab": arguments.lab, "rows": [row.as_dict() for row in wanted]}, indent=1))
    elif len(wanted) == 1 and arguments.rows == [wanted[0].place.row]:
        print(_whole(wanted[0], controls))
    else:
        print(_table(wanted))
    return 0


def _chosen(rows: Sequence[RowStanding], ids: Sequence[str], standing: str | None) -> list[RowStanding]:
    """The rows that are wanted.

    Raises:
        UsageError: an id or a standing is not known.
    """
    from lab.controls.standing import Standing  # noqa: PLC0415
    from lab.topology.problems import choose  # noqa: PLC0415

    known = {name for row in rows for name in _names(row)}
    for wanted in ids:
        if wanted not in known:
            raise UsageError(
                f"There is no row, category or function {wanted!r}.", remedy=choose(wanted, known, "There are")
            )
    words = [word.value for word in Standing if word is not Standing.NOT_APPLICABLE]
    if standing is not None and standing not in words:
        raise UsageError(f"No row can be {standing!r}.", remedy=choose(standing, words, "It can be"))
    return [
        row
        for row in rows
        if (not ids or not _names(row).isdisjoint(ids)) and (standing is None or row.standing == standing)
    ]


def _names(row: RowStanding) -> set[str]:
    return {row.place.row, row.place.category.id, row.place.function.id}


def _table(rows: Sequence[RowStanding]) -> str:
    """One line a row, and how many there are of each kind."""
    lines = [("ROW", "STATUS", "EVIDENCE", "PASSED", "SUBCATEGORY")]
    lines += [
        (
            row.place.row,
            row.row.status.value,
            row.standing.value,
            f"{row.passed}/{len(row.evidence)}" if row.evidence else "",
            textwrap.shorten(row.row.subcategory, 70, placeholder=" …"),
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    table = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(line, widths, strict=False)), line[4]]) for line in lines
    ]
    return "\n".join(
        [
            *table,
            f"{len(rows)} rows: {_counted([row.row.status.value for row in rows])}",
            f"evidence: {_counted([row.standing.value for row in rows])}",
        ]
    )


def _counted(words: Sequence[str]) -> str:
    return ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words))) or "none"


def _whole(row: RowStanding, controls: ControlMap) -> str:
    """Everything about one row."""
    place, content = row.place, row.row
    lines = [
        f"{place.row}: {content.subcategory}",
        f"  {place.function.title} ({place.function.id}), {place.category.title} ({place.category.id})",
    ]
    for column, heading in controls.table.content.columns.items():
        lines += textwrap.wrap(
            f"{heading}: {', '.join(content.column(column)) or 'none'}",
            118,
            initial_indent="  ",
            subsequent_indent="    ",
        )
    lines += ["", f"status: {content.status}; evidence: {row.standing}"]
    for heading, text in (("covered", content.covered), ("not covered", content.not_covered)):
        if text:
            lines += textwrap.wrap(f"{heading}: {text}", 118, initial_indent="  ", subsequent_indent="    ")
    lines += [f"  document: {document}" for document in content.documents]
    for entry in row.evidence:
        lines += ["", *_told(entry)]
    return "\n".join(lines)


def _told(entry: Evidence) -> list[str]:
    lines = [f"{entry.standing:<9}  {entry.promised.id}", f"           {entry.promised.text}"]
    if entry.run is None or entry.at is None:
        return lines
    found = _counted([result.outcome.value for result in entry.results])
    lines.append(f"           {entry.run}, {datetime.fromtimestamp(entry.at, UTC):%Y-%m-%d %H:%M:%SZ}: {found}")
    return [*lines, *(f"           {result}" for result in entry.results if not result.good)]
