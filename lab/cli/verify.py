"""``pacslab verify``: check a lab's controls."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from lab.engine.lab import Lab

if TYPE_CHECKING:
    import argparse

    from lab.verify.report import Report

EXAMPLE = """
pacslab verify segmentation
pacslab verify segmentation --lab reference --json
"""
CHECKS = {"segmentation": "every pair of hosts on every service: the declared flows connect, all others do not"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to verify."""
    explained = "; ".join(f"{name}: {summary}" for name, summary in CHECKS.items())
    parser.add_argument("check", choices=list(CHECKS), help=explained)


def run(arguments: argparse.Namespace) -> int:
    """Run the check; 0 when everything is as declared, 1 when not."""
    from lab.verify.segmentation import verify_segmentation  # noqa: PLC0415 # --help needs none of it

    report = verify_segmentation(Lab.open(arguments.lab), _say)
    print(json.dumps(report.as_dict(), indent=1) if arguments.json else _as_text(report))
    return 1 if report.failed else 0


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _as_text(report: Report) -> str:
    passed = report.checked - len(report.failed)
    lines = [f"FAILED  {failure}" for failure in report.failed]
    return "\n".join([*lines, f"{passed} of {report.checked} as declared, in {report.seconds:.1f} s"])
