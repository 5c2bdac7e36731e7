"""The command ``pacslab-workstation``: its verbs and their arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Verb, run
from simulators.person.cli import PERSON_VERBS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

PROGRAM = "pacslab-workstation"
DESCRIPTION = "A reading or quality control workstation: query, retrieve, annotate, measure, report."
USER = "workstation"
_VERBS, _READING = "simulators.workstation.verbs", "simulators.workstation.reading"


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    return run(PROGRAM, DESCRIPTION, USER, VERBS, argv)


def _archive(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--archive", metavar="NAME", help="PACS or VNA by host name (default: the primary archive)")


def _web(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--web", action="store_true", help="DICOMweb over mutual TLS instead of DIMSE")


def _study(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("accession", nargs="?", metavar="ACCESSION", help="accession number of the study")
    parser.add_argument("--study", metavar="UID", help="Study Instance UID")


def _query(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--level", choices=["study", "series", "image"], default="study")
    parser.add_argument("--accession", metavar="NUMBER")
    parser.add_argument("--patient", metavar="ID", help="Patient ID")
    parser.add_argument("--name", metavar="PATTERN", help="patient's name, such as DOE*")
    parser.add_argument("--date", metavar="YYYYMMDD[-YYYYMMDD]", help="study date or range")
    parser.add_argument("--modality", metavar="CODE", help="a modality in the study")
    parser.add_argument("--study", metavar="UID")
    parser.add_argument("--series", metavar="UID")
    _archive(parser)
    _web(parser)


def _retrieve(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument("--series", metavar="UID")
    parser.add_argument("--instance", metavar="UID")
    place = parser.add_mutually_exclusive_group()
    place.add_argument("--to", metavar="FOLDER", help="where to (default: /var/lib/pacslab/workstation)")
    place.add_argument("--apart", action="store_true", help="into a new folder of its own, for `discard`")
    _archive(parser)
    _web(parser)


def _reading(parser: argparse.ArgumentParser) -> None:
    _study(parser)
    parser.add_argument(
        "--instance", metavar="UID", help="image (default: the middle one of the first CT or MR series)"
    )
    _archive(parser)


def _region(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--roi", metavar="COLUMN,ROW,RADIUS", help="circle in pixels (default: in the middle)")


def _annotate(parser: argparse.ArgumentParser) -> None:
    _reading(parser)
    _region(parser)
    parser.add_argument("--text", default="Finding", help="what to write beside the circle")


def _key_objects(parser: argparse.ArgumentParser) -> None:
    _reading(parser)
    parser.add_argument("--text", default="Of interest for the report", help="why")


def _measure(parser: argparse.ArgumentParser) -> None:
    _reading(parser)
    _region(parser)
    parser.add_argument("--label", default="1", help="tracking identifier of the region")


def _report(parser: argparse.ArgumentParser) -> None:
    _reading(parser)
    parser.add_argument("--findings", default="No abnormality seen.")
    parser.add_argument("--impression", default="Normal.")
    status = parser.add_mutually_exclusive_group()
    status.add_argument("--preliminary", action="store_true", help="not verified, not final (OBR-25 P)")
    status.add_argument("--correction", action="store_true", help="replaces a final report (OBR-25 C)")


def _verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="a folder with .dcm files, or one file")


def _digests(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="a folder with .dcm files")


def _discard(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="a folder that `retrieve --apart` has made, or one in it")


VERBS = (
    *PERSON_VERBS,
    Verb(
        "query",
        "Find studies, series or images (RAD-14, RAD-129).",
        f"{_VERBS}:find",
        "query --patient P0001 --json",
        _query,
    ),
    Verb(
        "retrieve",
        "Bring a study into a folder (RAD-16, RAD-107).",
        f"{_VERBS}:get",
        "retrieve ACC0001 --web",
        _retrieve,
    ),
    Verb(
        "annotate",
        "Mark an image: presentation state (RAD-19).",
        f"{_READING}:annotate",
        "annotate ACC0001 --text Cyst",
        _annotate,
        action="annotate",
    ),
    Verb(
        "key-objects",
        "Note an image as of interest (RAD-29).",
        f"{_READING}:select",
        "key-objects ACC0001",
        _key_objects,
        action="annotate",
    ),
    Verb(
        "measure",
        "Measure a circle: structured report of TID 1500 (RAD-43).",
        f"{_READING}:measure_region",
        "measure ACC0001 --roi 256,256,20",
        _measure,
        action="annotate",
    ),
    Verb(
        "report",
        "Report a study: SR to the archive (RAD-24), ORU^R01 to the RIS (RAD-128).",
        f"{_READING}:report",
        'report ACC0001 --findings "No bleeding." --impression Normal.',
        _report,
        action="report",
    ),
    Verb(
        "submit",
        "Send again what was not answered: objects to archives, reports to the RIS (RAD-128).",
        f"{_READING}:submit_pending",
        "submit",
    ),
    Verb(
        "digests",
        "Print SHA-256 of the pixel data of every image in a folder.",
        f"{_VERBS}:digests",
        "digests /var/lib/pacslab/workstation --json",
        _digests,
    ),
    Verb(
        "discard",
        "Remove a folder that `retrieve --apart` has made.",
        f"{_VERBS}:discard",
        "discard /var/lib/pacslab/workstation/apart-x1y2z3",
        _discard,
    ),
    Verb(
        "verify", "Judge DICOM files with dciodvfy.", f"{_VERBS}:verify", "verify /var/lib/pacslab/workstation", _verify
    ),
)
