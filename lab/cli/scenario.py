"""``pacslab scenario``: run clinical workflows through a lab."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from lab.cli import judging
from lab.engine.lab import Lab
from lab.errors import UsageError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from lab.results.model import Result
    from lab.results.store import Run
    from lab.scenarios.model import Scenario, Step

EXAMPLE = """
pacslab scenario list
pacslab scenario steps radiology-workflow
pacslab scenario run
pacslab scenario run radiology-workflow --lab reference --json
pacslab scenario run radiology-workflow --only store --junit results.xml
pacslab scenario run radiology-workflow --until commit
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, with which scenario, and with which of its steps."""
    parser.add_argument("action", choices=["list", "steps", "run"], help="list the scenarios, show one's steps, or run")
    parser.add_argument("name", nargs="?", help="the scenario; run without one runs those that the lab's site is for")
    parser.add_argument(
        "--only", action="append", default=[], metavar="STEP", help="run this step and what it needs; may be repeated"
    )
    parser.add_argument("--all", action="store_true", help="without a name: those too that take minutes")
    parser.add_argument("--until", metavar="STEP", help="run the steps up to this one")
    parser.add_argument("--keep-going", action="store_true", help="try also what needs a step that did not pass")
    judging.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """List the scenarios or the steps of one, or run some: 0 when every step passed, 1 when not."""
    if arguments.action == "list":
        return _list(as_json=arguments.json)
    if arguments.action == "steps":
        return _steps(arguments)
    from lab.scenarios.registry import fitting, scenario  # noqa: PLC0415 # --help needs none of it

    lab = Lab.open(arguments.lab)
    if arguments.name is None and (arguments.only or arguments.until):
        raise UsageError("Which scenario's steps?", remedy="Name the scenario; `pacslab scenario list` shows them.")
    if arguments.name and arguments.all:
        raise UsageError("A scenario is named, and all are asked for.", remedy="Leave out the name, or --all.")
    wanted = [scenario(arguments.name)] if arguments.name else fitting(lab.site, at_length=arguments.all)
    plan = _planned(wanted, lab, arguments)
    words = [arguments.name] if arguments.name else []
    with judging.kept_run(lab, "scenario", words, arguments.junit, options=_options(arguments)) as kept:
        outcomes = [_run(wanted, steps, lab, kept, arguments) for wanted, steps in plan]
    if arguments.json:
        print(json.dumps(outcomes[0] if arguments.name else outcomes, indent=1))
    else:
        print(judging.total(kept))
    return 0 if all(outcome["passed"] for outcome in outcomes) else 1


def _options(arguments: argparse.Namespace) -> list[str]:
    """Which steps were asked for, as it was written."""
    only = [word for step in arguments.only for word in ("--only", step)]
    until = ["--until", arguments.until] if arguments.until else []
    only += ["--all"] if arguments.all else []
    return [*only, *until, *(["--keep-going"] if arguments.keep_going else [])]


def _planned(
    wanted: Sequence[Scenario[Any]], lab: Lab, arguments: argparse.Namespace
) -> list[tuple[Scenario[Any], list[Step[Any]]]]:
    """The steps to run of each scenario; what cannot be run is refused before a run begins."""
    from lab.scenarios.choose import chosen  # noqa: PLC0415
    from lab.scenarios.run import require_fit  # noqa: PLC0415

    for scenario in wanted:
        require_fit(scenario, lab.site)
    return [(scenario, chosen(scenario, only=arguments.only, until=arguments.until)) for scenario in wanted]


def _run(
    scenario: Scenario[Any], steps: Sequence[Step[Any]], lab: Lab, kept: Run, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Run a scenario, tell a person of each step, and return what ``--json`` prints."""
    from lab.scenarios.run import run_scenario  # noqa: PLC0415

    lines, results = _Lines(), []
    for result in run_scenario(scenario, steps, lab, lines, keep_going=arguments.keep_going):
        results.append(kept.add(result))
        lines.step_ended(result)
    outcome = _as_dict(kept, scenario, steps, results)
    if not arguments.json:
        part = "" if outcome["complete"] else f" ({len(steps)} of its {len(scenario.steps)} steps)"
        print(f"{scenario.name}{part} {'passed' if outcome['passed'] else 'did not pass'}")
    return outcome


def _as_dict(
    kept: Run, scenario: Scenario[Any], steps: Sequence[Step[Any]], results: Sequence[Result]
) -> dict[str, Any]:
    from lab.results.model import counts  # noqa: PLC0415
    from lab.scenarios.run import has_passed  # noqa: PLC0415

    return {
        "scenario": scenario.name,
        "passed": has_passed(results),
        "steps": [_step_as_dict(step, result) for step, result in zip(steps, results, strict=True)],
        "complete": len(steps) == len(scenario.steps),
        "counts": counts(results),
        "seconds": round(sum(result.seconds for result in results), 2),
        "run": kept.id,
    }


def _step_as_dict(step: Step[Any], result: Result) -> dict[str, Any]:
    from lab.controls.load import controls_of  # noqa: PLC0415

    return {
        "id": step.id,
        "title": step.title,
        "host": result.host,
        "transaction": step.transaction,
        "controls": list(controls_of(result.id)),
        "expected": step.expected,
        "observed": result.observed or result.reason,
        "passed": result.outcome.value == "passed",
        "seconds": round(result.seconds, 3),
        "outcome": result.outcome.value,
        "reason": result.reason,
        "remedy": result.remedy,
        "result": result.id,
    }


def _list(*, as_json: bool) -> int:
    from lab.scenarios.registry import scenarios  # noqa: PLC0415

    known = scenarios().values()
    if as_json:
        rows = [
            {
                "name": entry.name,
                "title": entry.title,
                "summary": entry.summary,
                "asks_for": [str(actor) for actor in entry.actors],
                "without": list(entry.without),
            }
            for entry in known
        ]
        print(json.dumps(rows, indent=1))
    else:
        print("\n".join(f"{entry.name}  {entry.title}\n    {entry.summary}" for entry in known))
    return 0


def _steps(arguments: argparse.Namespace) -> int:
    from lab.scenarios.registry import scenario  # noqa: PLC0415

    if arguments.name is None:
        raise UsageError("Which scenario?", remedy="`pacslab scenario list` shows them.")
    shown = scenario(arguments.name)
    if arguments.json:
        rows = [
            {
                "id": step.id,
                "result": step.promise(shown.name).id,
                "title": step.title,
                "by": str(step.by),
                "transaction": step.transaction,
                "expected": step.expected,
                "needs": list(step.needs),
            }
            for step in shown.steps
        ]
        print(json.dumps(rows, indent=1))
        return 0
    for step in shown.steps:
        needs = f"; needs {', '.join(step.needs)}" if step.needs else ""
        print(f"{step.id:<24} {step.title} ({step.by}, {step.transaction}{needs})\n    {step.expected}")
    return 0


class _Lines:
    """Tells a person, on standard error, how far the run is."""

    def step_started(self, step: Step[Any], number: int, count: int) -> None:
        """On a terminal, name the step while it runs."""
        if sys.stderr.isatty():
            print(f"  ...   {number:>2}/{count} {step.by}: {step.title}", end="\r", file=sys.stderr, flush=True)

    def step_ended(self, result: Result) -> None:
        """Say how the step came out; what was observed, or why not, where it did not pass."""
        clear = "\033[K" if sys.stderr.isatty() else ""
        word, step = judging.WORDS[result.outcome], result.id.partition(".")[2]
        judging.say(f"{clear}{word}  {step:<24} {result.host}: {result.facts['title']} ({result.seconds:.1f} s)")
        if result.reason:
            judging.say(f"        {result.reason}")
        elif not result.good:
            judging.say(f"        expected {result.expected}\n        observed {result.observed}")
        if result.remedy:
            judging.say(f"        {result.remedy}")
