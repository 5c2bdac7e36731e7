"""``pacslab quarantine``: what archives hold because it does not fit, and what becomes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.cli import numbers
from lab.engine.lab import Lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from lab.hospital.hospital import Hospital

EXAMPLE = """
pacslab quarantine
pacslab quarantine release pacs-rad 3 4
pacslab quarantine discard pacs-rad --study 1.2.3
"""
COLUMNS = ("archive", "id", "at", "reason", "ae_title", "patient", "accession", "study", "instance")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what to do, in which archive, and with which objects."""
    parser.add_argument(
        "action", nargs="?", choices=("list", "release", "discard"), default="list", help="what to do with what is held"
    )
    parser.add_argument(
        "archive", nargs="?", metavar="ARCHIVE", help="the archive that holds it; of list, only this one"
    )
    parser.add_argument("ids", nargs="*", type=numbers.count, metavar="ID", help="numbers of objects, as list has them")
    parser.add_argument("--study", metavar="UID", help="all objects of a study")


def run(arguments: argparse.Namespace) -> int:
    """List what is held, or decide on it: 0 when that is done, 1 when the archive does not take it."""
    from lab.hospital.archive import archives  # noqa: PLC0415 # with the next: --help needs none of it
    from lab.hospital.hospital import Hospital  # noqa: PLC0415

    lab = Lab.open(arguments.lab)
    known = archives(lab.site)
    if arguments.archive is not None and arguments.archive not in known:
        raise UsageError(f"{arguments.archive!r} is no archive of this lab.", remedy=f"There are: {', '.join(known)}.")
    hospital = Hospital(lab)
    if arguments.action != "list":
        return _decide(hospital, arguments)
    if arguments.ids or arguments.study:
        raise UsageError("'quarantine list' takes an archive alone.", remedy="Leave the rest out.")
    return _list(hospital, [arguments.archive] if arguments.archive else known, as_json=arguments.json)


def _list(hospital: Hospital, archives: list[str], *, as_json: bool) -> int:
    from lab.hospital.image_manager import held  # noqa: PLC0415

    rows = [{"archive": name, **entry.model_dump()} for name in archives for entry in held(hospital, name)]
    if as_json:
        print(json.dumps(rows, indent=1))
        return 0
    if not rows:
        print("Nothing is held.")
        return 0
    cells = [[column.upper() for column in COLUMNS], *([str(row[column]) for column in COLUMNS] for row in rows)]
    widths = [max(len(line[number]) for line in cells) for number in range(len(COLUMNS))]
    for line in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


def _decide(hospital: Hospital, arguments: argparse.Namespace) -> int:
    from lab.hospital.image_manager import DONE, decide  # noqa: PLC0415

    if arguments.archive is None or not (arguments.ids or arguments.study):
        raise UsageError(
            f"'quarantine {arguments.action}' needs an archive and what to {arguments.action} there.",
            remedy="Name numbers that 'pacslab quarantine' lists, or a study with --study.",
        )
    instances = decide(hospital, arguments.archive, arguments.action, arguments.ids, arguments.study)
    done = DONE[arguments.action]
    if arguments.json:
        print(json.dumps({"archive": arguments.archive, done: instances}))
    else:
        print(f"{arguments.archive}: {done} {len(instances)} objects")
    return 0
