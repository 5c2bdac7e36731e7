"""Runs a scenario's steps in order and keeps the record."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from lab.errors import PacslabError, UsageError
from lab.scenarios.failure import StepFailure
from lab.scenarios.model import Scenario, ScenarioResult, Step, StepResult, check_steps
from lab.scenarios.stage import Stage

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.lab import Lab


class Audience(Protocol):
    """Who watches a run."""

    def step_started(self, step: Step, host: str, number: int, count: int) -> None:
        """A step begins on a host; ``number`` counts from 1."""

    def step_ended(self, result: StepResult) -> None:
        """A step passed, failed, or was not run."""


def run_scenario(scenario: Scenario, lab: Lab, audience: Audience) -> ScenarioResult:
    """Run every step whose needs are met; the others count as failed.

    Raises:
        UsageError: the site lacks a host that the scenario needs, or its steps do not hold together.
    """
    missing = [role for role in scenario.roles if not any(role in host.roles for host in lab.site.hosts.values())]
    if missing:
        raise UsageError(
            f"Scenario {scenario.name} needs a host with role {', '.join(missing)}; site {lab.site.name} has none.",
            remedy="Run it on a site that has one, such as reference, or another of `pacslab scenario list`.",
        )
    stage = Stage(lab)
    steps = scenario.build(stage)
    check_steps(steps)
    results: dict[str, StepResult] = {}
    for number, step in enumerate(steps, start=1):
        audience.step_started(step, _host(step, stage), number, len(steps))
        unmet = [need for need in step.needs if not results[need].passed]
        results[step.id] = _not_run(step, stage, unmet) if unmet else _run(step, stage)
        audience.step_ended(results[step.id])
    return ScenarioResult(scenario.name, tuple(results.values()))


def _host(step: Step, stage: Stage) -> str:
    return step.host if isinstance(step.host, str) else step.host(stage)


def _not_run(step: Step, stage: Stage, unmet: list[str]) -> StepResult:
    return StepResult(step, _host(step, stage), f"not run: {', '.join(unmet)} did not pass", passed=False, seconds=0.0)


def _run(step: Step, stage: Stage) -> StepResult:
    begun = time.monotonic()
    try:
        observed, passed = step.act(stage), True
    except StepFailure as failure:
        observed, passed = str(failure), False
    except PacslabError as error:
        observed, passed = f"{error.message} {error.remedy}", False
    except (KeyError, IndexError, TypeError, ValueError) as error:
        # A simulator's answer had another form than the step reads: that is an observation too, and later steps go on.
        observed, passed = f"unexpected answer: {type(error).__name__}: {error}", False
    return StepResult(step, _host(step, stage), observed, passed, time.monotonic() - begun)


def keep(result: ScenarioResult, folder: Path, begun: datetime) -> Path:
    """Write the record of a run into the lab's ``runs`` folder and return its path."""
    runs = folder / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    path = runs / f"{begun.astimezone(UTC):%Y%m%dT%H%M%SZ}-{result.scenario}.json"
    record = {"begun": begun.astimezone(UTC).isoformat(timespec="seconds"), **result.as_dict()}
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return path
