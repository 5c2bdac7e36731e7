"""The command ``pacslab-ris``: its verbs and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run
from simulators.person.cli import PERSON_VERBS
from simulators.rejections import ISSUES, WORDS
from simulators.sections import SECTIONS
from simulators.settling import settling_arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

DESCRIPTION = (
    "Radiology information system: fills orders, serves the worklist, follows procedure steps, passes reports on.\n"
    "`serve` is the service; `register` and `order` are for a practice without a record; the others show what is kept."
)


def _accession(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("accession", help="accession number (0008,0050)")


def _station(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--station", metavar="AE", help="only this station's (0040,0001)")


def _register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--family", required=True, help="family name, PatientName (0010,0010)")
    parser.add_argument("--given", required=True, help="given name")
    parser.add_argument("--birth-date", required=True, help="YYYYMMDD (0010,0030)")
    parser.add_argument("--sex", required=True, choices=["M", "F", "O", "U"], help="(0010,0040)")


def _order(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patient", help="patient identifier")
    parser.add_argument("--code", required=True, help="procedure code (0008,0100)")
    parser.add_argument("--text", required=True, help="what is to be done (0008,0104)")
    parser.add_argument("--scheme", default="99PACSLAB", help="coding scheme of the code (0008,0102)")
    parser.add_argument("--modality", required=True, choices=SECTIONS, help="(0008,0060); CUS is cardiac US")
    parser.add_argument("--reason", default="", help="reason for the procedure (0040,1002)")
    parser.add_argument("--provider", default="", help="who refers the patient")


def _asked(parser: argparse.ArgumentParser) -> None:
    _accession(parser)
    parser.add_argument("--reason", required=True, choices=WORDS, help="title of the rejection note (CID 7010)")
    parser.add_argument("--issue", default="", choices=ISSUES, help="what was wrong with the quality (CID 7011)")
    parser.add_argument("--text", default="", help="in your own words")
    parser.add_argument("--series", action="append", default=[], metavar="UID", help="of this series alone; repeatable")
    parser.add_argument("--instance", action="append", default=[], metavar="UID", help="this object alone; repeatable")


def _rejection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("rejection", type=int, metavar="ID", help="number that `rejections` shows")


def _refused(parser: argparse.ArgumentParser) -> None:
    _rejection(parser)
    parser.add_argument("--text", default="", help="why not, in your own words")


def _rejections(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accession", metavar="NUMBER", help="of this accession number alone (0008,0050)")


VERBS = (
    *PERSON_VERBS,
    Verb("serve", "Serve HL7, worklist and procedure steps until stopped", "simulators.ris.serve:serve", "serve"),
    Verb(
        "register",
        "Register a patient, where no record does",
        "simulators.ris.walk_in:register",
        "register --family Weber --given Anna --birth-date 19700412 --sex F --json",
        _register,
        action="schedule",
    ),
    Verb(
        "order",
        "Order and schedule a procedure, where no record does",
        "simulators.ris.walk_in:order",
        "order W0000001 --code USABD --text 'Ultrasound of the abdomen' --modality US --json",
        _order,
        action="schedule",
    ),
    Verb(
        "cancel",
        "Cancel a procedure that has not begun: record and archives are told (RAD-3, RAD-13)",
        "simulators.ris.scheduling:cancel",
        "cancel A0000001",
        _accession,
        action="schedule",
    ),
    Verb(
        "request-rejection",
        "Ask for images to be rejected: somebody else decides",
        "simulators.ris.rejecting:ask",
        "request-rejection A0000001 --reason quality --issue motion-blur",
        _asked,
        action="request-rejection",
    ),
    Verb(
        "authorise-rejection",
        "Grant a rejection: archives take out what it names (RAD-66)",
        "simulators.ris.rejecting:authorise",
        "authorise-rejection 1",
        _rejection,
        action="authorise-rejection",
    ),
    Verb(
        "refuse-rejection",
        "Refuse a rejection",
        "simulators.ris.rejecting:refuse",
        "refuse-rejection 1 --text 'Good enough for the question.'",
        _refused,
        action="authorise-rejection",
    ),
    Verb(
        "rejections",
        "List rejections, and which archives have taken the note",
        "simulators.ris.rejecting:listing",
        "rejections --json",
        _rejections,
    ),
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
    Verb(
        "outbox",
        "List messages sent and to be sent; decide on those that were set aside",
        "simulators.ris.views:outbox",
        "outbox --retry 17",
        settling_arguments,
    ),
)


def main(argv: Sequence[str]) -> int:
    """Run the command."""
    return run("pacslab-ris", DESCRIPTION, "ris", VERBS, argv)
