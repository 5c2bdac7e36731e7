"""``pacslab runs``: what was judged on a lab before."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.cli import judging
from lab.errors import UsageError
from lab.results.store import KeptRun, run_of, runs
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab runs
pacslab runs show last --failed
pacslab runs show 20260301T020000Z-verify --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to show, and of which run."""
    parser.add_argument("action", nargs="?", choices=["list", "show"], default="list", help="default: list")
    parser.add_argument("name", nargs="?", metavar="RUN", help="which run: its name, or 'last'")
    parser.add_argument("--failed", action="store_true", help="only what failed or could not be judged")
    judging.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the runs of a lab, or show one; 0 whatever they came to."""
    folder = load_settings().lab_folder(arguments.lab)
    if arguments.action == "list":
        known = [run_ for run_ in runs(folder) if not arguments.failed or not (run_.summary or {}).get("passed")]
        print(json.dumps([run_.as_dict() for run_ in known], indent=1) if arguments.json else _table(known))
        return 0
    if arguments.name is None:
        raise UsageError("Which run?", remedy="`pacslab runs` lists them; 'last' is the last one.")
    return _show(run_of(folder, arguments.name), arguments)


def _show(kept: KeptRun, arguments: argparse.Namespace) -> int:
    results = [result for result in kept.results() if not (arguments.failed and result.good)]
    if arguments.junit is not None:
        from lab.results.junit import write_junit  # noqa: PLC0415 # only who asks for it pays

        write_junit(arguments.junit, f"pacslab {kept.manifest['verb']}", results)
    if arguments.json:
        print(json.dumps({**kept.as_dict(), "results": [result.as_dict() for result in results]}, indent=1))
        return 0
    manifest = kept.manifest
    commit = f"commit {manifest['commit'][:12] or 'unknown'}{'' if manifest['clean'] else ', with changes'}"
    print(f"{kept.id}: {manifest['verb']} on lab {manifest['lab']}, site {manifest['site']}, {commit}")
    for result in results:
        print(f"{judging.WORDS[result.outcome]}  {result}")
    print(_outcome(kept))
    return 0


def _table(known: list[KeptRun]) -> str:
    rows = [("RUN", "BEGUN", "OUTCOME")]
    rows += [
        (run_.id, f"{datetime.fromtimestamp(run_.manifest['begun'], UTC):%Y-%m-%d %H:%M:%SZ}", _outcome(run_))
        for run_ in known
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[2]]) for row in rows
    )


def _outcome(kept: KeptRun) -> str:
    shown = kept.as_dict()
    found = (
        ", ".join(f"{number} {outcome}" for outcome, number in shown["counts"].items() if number) or "nothing judged"
    )
    word = {True: "passed", False: "FAILED", None: "unfinished"}[shown["passed"]]
    return f"{word}: {found}"
