"""``pacslab-load``: what people do at a host, one piece after the other, for some seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

DESCRIPTION = "Does what people do at this host, one piece after the other, and says what was done."
DOERS = {
    "order": ("pacslab-ehr", "ehr"),
    "acquire": ("pacslab-modality", "modality"),
    "read": ("pacslab-workstation", "workstation"),
}
"""As which command the verb writes its events, and as which user it works: its work is that simulator's own."""


def main(argv: Sequence[str]) -> int:
    """Run the command; what could not be done in time is missing from its answer."""
    program, user = DOERS.get(argv[0] if argv else "", ("pacslab-load", "nobody"))
    return run(program, DESCRIPTION, user, VERBS, argv)


def _seconds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=10.0, help="after these no further piece is begun")


def _order(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prefix", required=True, help="how the patients' identifiers begin; a number follows")
    parser.add_argument("--first", type=int, required=True, metavar="N", help="number of the first patient")
    parser.add_argument("--last", type=int, required=True, metavar="N", help="number of the last one")
    parser.add_argument("--sections", nargs="+", required=True, metavar="CODE", help="whom orders are for, in turn")
    _seconds(parser)


def _acquire(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--prefix", required=True, help="how the patients' identifiers begin")
    parser.add_argument("--images", type=int, required=True, metavar="N", help="of each step")
    parser.add_argument("--matrix", type=int, required=True, metavar="N", help="rows and columns of each image")
    _seconds(parser)


def _read(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("accessions", nargs="+", metavar="ACCESSION", help="accession numbers")
    parser.add_argument("--web", action="store_true", help="DICOMweb instead of C-FIND and C-GET")
    _seconds(parser)


VERBS = (
    Verb(
        "order",
        "Register patients and place an order for each, each once.",
        "simulators.load.ordering:order",
        "order --prefix LOAD --first 1 --last 20 --sections CT MR --json",
        _order,
    ),
    Verb(
        "acquire",
        "Perform what the worklist has for this station.",
        "simulators.load.acquiring:acquire",
        "acquire --prefix LOAD --images 40 --matrix 64 --json",
        _acquire,
    ),
    Verb(
        "read",
        "Find and retrieve studies, and tell what their images hold.",
        "simulators.load.reading:read",
        "read A0000001 A0000002 --web --json",
        _read,
    ),
)
