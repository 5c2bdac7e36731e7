"""``pacslab check``: whether this machine can run a lab."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from lab.engine.client import Docker
from lab.engine.requirements import examine
from lab.errors import MachineNotReadyError

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab check
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Check has the common arguments only."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print each requirement with what was found; 0 when all are met, 4 when not."""
    findings = list(examine(Docker()))
    ready = all(finding.met for finding in findings)
    if arguments.json:
        print(json.dumps({"ready": ready, "findings": [asdict(finding) for finding in findings]}))
    else:
        for entry in findings:
            print(f"{'ok' if entry.met else 'NO':<3} {entry.name}: {entry.found}")
            if not entry.met:
                print(f"    {entry.remedy}")
    return 0 if ready else MachineNotReadyError.exit_code
