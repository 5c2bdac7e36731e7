"""The command ``pacslab-modality``: its verbs and their arguments."""

from __future__ import annotations

import pwd
from typing import TYPE_CHECKING

from simulators.command_line import Verb, run

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

PROGRAM = "pacslab-modality"
DESCRIPTION = "A modality: worklist, procedure steps, images, storage and its commitment."
USER = "modality"
_VERBS = "simulators.modality.verbs"


def main(argv: Sequence[str]) -> int:
    """Run the command; return its exit code."""
    return run(PROGRAM, DESCRIPTION, _user(), VERBS, argv)


def _user() -> str:
    """The modality's user; files are also sent from hosts that are none, for comparison, as nobody."""
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return "nobody"
    return USER


def _worklist(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--station", metavar="AE", help="ask for another station's steps (the RIS must refuse)")
    parser.add_argument("--accession", metavar="NUMBER", help="steps of this order only")
    parser.add_argument("--patient", metavar="ID", help="steps of this patient only")
    parser.add_argument("--date", metavar="YYYYMMDD[-YYYYMMDD]", help="steps that start on this date or in this range")


def _step(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="ACCESSION", help="accession number of the order")
    parser.add_argument("--step", metavar="ID", help="scheduled procedure step ID")


def _images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=int, metavar="N", help="how many images (default: CT 24, MR 8, US 3, DX 2)")
    parser.add_argument("--phantom", action="store_true", help="CT: the synthetic phantom instead of the head")
    parser.add_argument("--matrix", type=int, metavar="N", help="rows and columns (default: as the modality has them)")


def _wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--wait", type=float, default=20.0, metavar="SECONDS", help="for the storage commitment result (default: 20)"
    )


def _acquire(parser: argparse.ArgumentParser) -> None:
    _step(parser)
    _images(parser)
    _wait(parser)


def _store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", nargs="?", metavar="ACCESSION|FOLDER", help="an order, or a path with DICOM files (with a /)"
    )
    parser.add_argument("--step", metavar="ID", help="scheduled procedure step ID")
    _images(parser)
    parser.add_argument("--queued", action="store_true", help="make no images, send those that wait")
    files = parser.add_argument_group("sending files, for benchmarks")
    files.add_argument("--host", help="another archive's address")
    files.add_argument("--port", type=int, help="its port")
    files.add_argument("--called", metavar="AE", help="its AE title")
    files.add_argument("--calling", metavar="AE", help="calling AE title (default: this host's)")
    files.add_argument(
        "--associations", type=int, metavar="N", help="how many at once (default: as for its own images)"
    )
    files.add_argument("--plain", action="store_true", help="DICOM without TLS")
    files.add_argument("--nagle", action="store_true", help="without TCP_NODELAY, as DICOM toolkits are shipped")


def _generate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="FOLDER", help="where to put them; made if it is not there")
    parser.add_argument("count", type=int, metavar="N", help="how many")
    parser.add_argument("--patient", default="BENCHMARK", metavar="ID", help="of whom (default: BENCHMARK)")
    parser.add_argument("--accession", default="BENCHMARK", metavar="NUMBER", help="accession number")
    parser.add_argument("--study", metavar="UID", help="of which study (default: one that no order knows)")


def _ending(parser: argparse.ArgumentParser) -> None:
    _step(parser)
    parser.add_argument(
        "--again", action="store_true", help="tell another final state after the first (the RIS must refuse)"
    )


def _discontinue(parser: argparse.ArgumentParser) -> None:
    _ending(parser)
    parser.add_argument(
        "--reason", default="110513", metavar="CODE", help="DCM code of CID 9300 (default: 110513, unspecified)"
    )


def _commit(parser: argparse.ArgumentParser) -> None:
    _step(parser)
    _wait(parser)


def _queue(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--accession", metavar="NUMBER", help="of this order only")
    decision = parser.add_mutually_exclusive_group()
    decision.add_argument(
        "--retry", metavar="UID", help="send an image that was set aside again, or tell of a step again"
    )
    decision.add_argument("--drop", metavar="UID", help="give up what was set aside; an image is deleted")


def _digests(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("accession", metavar="ACCESSION", help="accession number of the order")


def _import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("accession", metavar="ACCESSION", help="order whose study it joins; its step was begun here")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file; - for standard input")
    parser.add_argument("--sample", action="store_true", help="use a generated sample")


def _import_pdf(parser: argparse.ArgumentParser) -> None:
    _import(parser)
    parser.add_argument("--title", default="Requisition", help="Document Title (default: Requisition)")


VERBS = (
    Verb(
        "worklist",
        "List the scheduled steps of this station (RAD-5).",
        f"{_VERBS}:show_worklist",
        "worklist --json",
        _worklist,
    ),
    Verb(
        "acquire",
        "Perform a step from begin to commitment.",
        f"{_VERBS}:acquire",
        "acquire ACC0001 --images 24",
        _acquire,
    ),
    Verb("begin", "Begin a step: MPPS N-CREATE (RAD-6).", f"{_VERBS}:begin", "begin ACC0001", _step),
    Verb(
        "store",
        "Make a step's images and store them (RAD-8), or send files.",
        f"{_VERBS}:store",
        "store ACC0001",
        _store,
    ),
    Verb(
        "generate",
        "Make CT images of a phantom, 512 x 512, of no order, to be sent with store.",
        "simulators.modality.sender:generate",
        "generate /tmp/images 200",
        _generate,
    ),
    Verb("complete", "End a step: MPPS N-SET COMPLETED (RAD-7).", f"{_VERBS}:complete", "complete ACC0001", _ending),
    Verb(
        "discontinue",
        "End a step: MPPS N-SET DISCONTINUED (RAD-7).",
        f"{_VERBS}:discontinue",
        "discontinue ACC0001 --reason 110514",
        _discontinue,
    ),
    Verb("commit", "Ask the archive to answer for the images (RAD-10).", f"{_VERBS}:commit", "commit ACC0001", _commit),
    Verb(
        "queue",
        "Show how far every step and image is; decide on what was set aside.",
        f"{_VERBS}:queue",
        "queue --json",
        _queue,
    ),
    Verb(
        "digests",
        "Print SHA-256 of the pixel data of an order's images that are still here.",
        f"{_VERBS}:digests",
        "digests ACC0001 --json",
        _digests,
    ),
    Verb(
        "import-jpeg", "Add a photograph to a study.", f"{_VERBS}:import_jpeg", "import-jpeg ACC0001 wound.jpg", _import
    ),
    Verb(
        "import-pdf",
        "Add a PDF document to a study.",
        f"{_VERBS}:import_pdf",
        "import-pdf ACC0001 --sample",
        _import_pdf,
    ),
    Verb("serve", "Receive commitment results and deliver what waits.", "simulators.modality.server:serve", "serve"),
)
