"""``pacslab bench``: measure a lab."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from lab.cli import numbers
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from lab.bench.figures import Figure

EXAMPLE = """
pacslab bench dicom
pacslab bench dicom --without tls-transport
pacslab bench up --repetitions 3 --json
pacslab bench verify --json
pacslab bench viewer --json
pacslab bench workflow --json
pacslab bench siem --json
"""
BENCHES = {
    "dicom": "C-STORE from a scanner into the archive, against plain C-STORE and against Orthanc as shipped",
    "up": "up of a site from a snapshot and with Ansible, against bare hosts",
    "verify": "all hardening checks on all hosts, against Testinfra's own backend for Docker",
    "viewer": "the first image in the viewer, for one person and for 50 at once, against plain Orthanc",
    "siem": "audit messages that the repository stores in a minute, against rsyslog writing the same to a file",
    "workflow": "orders and images an hour, against the same hospital without TLS, edges and packet filters",
}
REPETITIONS = {"dicom": 5, "up": 5, "verify": 1, "viewer": 5, "siem": 1, "workflow": 3}
"""Unless others are asked for; the checks are thousands of measurements in themselves."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to measure, and how often."""
    explained = "; ".join(f"{name}: {summary}" for name, summary in BENCHES.items())
    parser.add_argument("bench", choices=list(BENCHES), help=explained)
    parser.add_argument(
        "--repetitions",
        type=numbers.count,
        metavar="N",
        help="of each comparison (default: 5; of workflow 3, of verify and siem 1, which are long)",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="PIECE",
        help="dicom: compare with the same without tls-transport, response-guard or report-lock; may be given again",
    )


def run(arguments: argparse.Namespace) -> int:
    """Measure; 0 when every ratio keeps its bound, 1 when one does not."""
    arguments.repetitions = REPETITIONS[arguments.bench] if arguments.repetitions is None else arguments.repetitions
    if arguments.without and arguments.bench != "dicom":
        raise UsageError("--without belongs to 'bench dicom'.", remedy="Leave it out.")
    if arguments.bench == "siem":
        return _siem(arguments)
    figures = {"dicom": _dicom, "up": _up, "verify": _verify, "viewer": _viewer, "workflow": _workflow}[
        arguments.bench
    ](arguments)
    passed = all(figure.passed for figure in figures)
    if arguments.json:
        printed = [figure.as_dict() for figure in figures]
        print(json.dumps({"bench": arguments.bench, "passed": passed, "figures": printed}, indent=1))
    else:
        print("\n".join(_line(figure) for figure in figures))
    return 0 if passed else 1


def _dicom(arguments: argparse.Namespace) -> list[Figure]:
    from lab.bench.dicom import PIECES, bench_dicom  # noqa: PLC0415 # --help needs none of it
    from lab.engine.lab import Lab  # noqa: PLC0415

    unknown = [piece for piece in arguments.without if piece not in PIECES]
    if unknown:
        raise UsageError(f"There is no piece {unknown[0]!r} to leave out.", remedy=f"Pieces: {', '.join(PIECES)}.")
    return bench_dicom(Lab.open(arguments.lab), arguments.repetitions, _say, arguments.without)


def _verify(arguments: argparse.Namespace) -> list[Figure]:
    from lab.bench.verify import bench_verify  # noqa: PLC0415 # --help needs none of it
    from lab.engine.lab import Lab  # noqa: PLC0415

    return bench_verify(Lab.open(arguments.lab), arguments.repetitions, _say)


def _workflow(arguments: argparse.Namespace) -> list[Figure]:
    from lab.bench.workflow import bench_workflow  # noqa: PLC0415
    from lab.engine.lab import Lab  # noqa: PLC0415
    from lab.settings import load_settings  # noqa: PLC0415

    return bench_workflow(load_settings(), Lab.open(arguments.lab), arguments.repetitions, _say)


def _viewer(arguments: argparse.Namespace) -> list[Figure]:
    from lab.bench.viewer import bench_viewer  # noqa: PLC0415 # --help needs none of it
    from lab.engine.lab import Lab  # noqa: PLC0415
    from lab.settings import load_settings  # noqa: PLC0415

    return bench_viewer(load_settings(), Lab.open(arguments.lab), arguments.repetitions, _say)


def _up(arguments: argparse.Namespace) -> list[Figure]:
    from lab.bench.up import bench_up  # noqa: PLC0415
    from lab.settings import load_settings  # noqa: PLC0415
    from lab.topology.load import load_site, site_path  # noqa: PLC0415

    site = load_site(site_path(arguments.site, load_settings().inventories))
    return bench_up(site, arguments.repetitions, _say)


def _siem(arguments: argparse.Namespace) -> int:
    from lab.bench.siem import bench_siem  # noqa: PLC0415 # --help needs none of it
    from lab.engine.lab import Lab  # noqa: PLC0415

    measured = bench_siem(Lab.open(arguments.lab), _say)
    print(json.dumps({"bench": "siem", **measured.as_dict()}, indent=1))
    return 0 if measured.passed else 1


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _line(figure: Figure) -> str:
    word = "ok    " if figure.passed else "MISSED"
    data = figure.as_dict()
    rates = ""
    if figure.amounts:
        ours, theirs = (_amounts(rate) for rate in (figure.an_hour, figure.peer_an_hour))
        rates = f"\n        an hour: {ours}, against {theirs}"
    return (
        f"{word}  {figure.name}: {data['seconds']} s, {figure.peer}: {data['peer_seconds']} s, "
        f"{data['ratio_is']} {data['ratio']} (aim: {data['aim']}), {data['repetitions']} repetitions{rates}"
    )


def _amounts(rate: Mapping[str, int]) -> str:
    return " and ".join(f"{number} {what}" for what, number in rate.items())
