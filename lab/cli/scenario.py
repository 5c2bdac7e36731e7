"""``pacslab scenario``: run clinical workflows through a lab."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lab.engine.lab import Lab
from lab.errors import UsageError
from lab.scenarios.registry import scenario, scenarios
from lab.scenarios.run import keep, run_scenario

if TYPE_CHECKING:
    import argparse

    from lab.scenarios.model import Step, StepResult

EXAMPLE = """
pacslab scenario list
pacslab scenario run radiology-workflow
pacslab scenario run radiology-workflow --lab reference --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which scenario."""
    parser.add_argument("action", choices=["list", "run"], help="list the scenarios, or run one")
    parser.add_argument("name", nargs="?", help="the scenario to run")


def run(arguments: argparse.Namespace) -> int:
    """List the scenarios, or run one: 0 when every step passed, 1 when not."""
    if arguments.action == "list":
        return _list(as_json=arguments.json)
    if arguments.name is None:
        raise UsageError("Which scenario?", remedy="`pacslab scenario list` shows them.")
    chosen, lab, begun = scenario(arguments.name), Lab.open(arguments.lab), datetime.now(UTC)
    result = run_scenario(chosen, lab, _Lines())
    path = keep(result, lab.folder, begun)
    if arguments.json:
        print(json.dumps(result.as_dict(), indent=1))
    else:
        passed = sum(step.passed for step in result.steps)
        seconds = sum(step.seconds for step in result.steps)
        print(f"{passed} of {len(result.steps)} steps passed, in {seconds:.0f} s; kept in {path}")
    return 0 if result.passed else 1


def _list(*, as_json: bool) -> int:
    known = scenarios().values()
    if as_json:
        print(json.dumps([{"name": one.name, "title": one.title, "summary": one.summary} for one in known], indent=1))
    else:
        print("\n".join(f"{one.name}  {one.title}\n    {one.summary}" for one in known))
    return 0


class _Lines:
    """Tells a person, on standard error, how far the run is."""

    def step_started(self, step: Step, host: str, number: int, count: int) -> None:
        """On a terminal, name the step while it runs."""
        if sys.stderr.isatty():
            print(f"  ...   {number:>2}/{count} {host}: {step.title}", end="\r", file=sys.stderr, flush=True)

    def step_ended(self, result: StepResult) -> None:
        """Say how the step came out; what was observed where it failed."""
        clear = "\033[K" if sys.stderr.isatty() else ""
        word = "ok    " if result.passed else "FAILED"
        step = result.step
        print(f"{clear}{word}  {step.id:<32} {result.host}: {step.title} ({result.seconds:.1f} s)", file=sys.stderr)
        if not result.passed:
            print(f"        expected {step.expected}\n        observed {result.observed}", file=sys.stderr)
