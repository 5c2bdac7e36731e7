"""The command ``pacslab-ris``: its verbs and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.output import Verb, run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

DESCRIPTION = (
    "Radiology information system: fills orders, serves the worklist, follows procedure steps, passes reports on.\n"
    "`serve` is the service; the other verbs show what it keeps."
)


def _accession(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("accession", help="accession number (0008,0050)")


def _station(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--station", metavar="AE", help="only this station's (0040,0001)")


VERBS = (
    Verb("serve", "Serve HL7, worklist and procedure steps until stopped", "simulators.ris.serve:serve", "serve"),
    Verb("orders", "List orders", "simulators.ris.views:orders", "orders --json"),
    Verb("procedures", "List requested procedures", "simulators.ris.views:procedures", "procedures"),
    Verb(
        "worklist",
        "List scheduled steps that a station would be shown",
        "simulators.ris.views:worklist",
        "worklist --station CT1",
        _station,
    ),
    Verb("steps", "List scheduled and performed steps", "simulators.ris.views:steps", "steps --json"),
    Verb(
        "show",
        "Show an accession number with its whole trail",
        "simulators.ris.views:show",
        "show A0000001 --json",
        _accession,
    ),
    Verb("outbox", "List messages sent and to be sent", "simulators.ris.views:outbox", "outbox"),
)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    return run("pacslab-ris", DESCRIPTION, "ris", VERBS, argv)
