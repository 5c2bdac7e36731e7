"""``pacslab check``: whether this machine can run a lab, and which known weaknesses the site's parts have."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lab.assets.matches import foreseen
from lab.engine.client import Docker
from lab.engine.memory import asked
from lab.engine.requirements import examine
from lab.errors import MachineNotReadyError
from lab.settings import load_settings
from lab.topology.load import load_site, site_path

if TYPE_CHECKING:
    import argparse

    from lab.assets.matches import Match

EXAMPLE = """
pacslab check
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Check has the common arguments only."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print requirements with what was found, and known weaknesses; 0 when all requirements are met, 4 when not."""
    site = load_site(site_path(arguments.site, load_settings().inventories))
    findings = list(examine(Docker(), memory=asked(site)))
    known = foreseen(site)
    ready = all(finding.met for finding in findings)
    if arguments.json:
        found = {
            "findings": [asdict(finding) for finding in findings],
            "weaknesses": [_as_dict(entry) for entry in known],
        }
        print(json.dumps({"ready": ready, **found}))
        return 0 if ready else MachineNotReadyError.exit_code
    for entry in findings:
        print(f"{'ok' if entry.met else 'NO':<3} {entry.name}: {entry.found}")
        if not entry.met:
            print(f"    {entry.remedy}")
    for weak in known:
        weakness = weak.weakness
        print(f"!   {weak.part} on {', '.join(weak.hosts)}: {', '.join(weakness.ids)}\n    {weakness.what}")
    return 0 if ready else MachineNotReadyError.exit_code


def _as_dict(match: Match) -> dict[str, Any]:
    weakness = match.weakness
    role = weakness.comes_with.role if weakness.comes_with else ""
    return {"part": match.part, "ids": weakness.ids, "what": weakness.what, "role": role, "hosts": [*match.hosts]}
