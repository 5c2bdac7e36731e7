"""A scenario of a few steps on a lab of which only the site is asked."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from lab.hospital.hospital import Actor
from lab.scenarios.choose import chosen
from lab.scenarios.failure import StepFailure
from lab.scenarios.model import Scenario, Step
from lab.scenarios.run import run_scenario
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.scenarios.stage import Stage

SCANNER = Actor("acquisition", "CT")


@dataclass(repr=False)
class Facts:
    """What the trial's steps leave for each other."""

    found: str = field(init=False)


class NoLab:
    """A lab that has a site, and no hosts that run."""

    site = committed_site("reference")


class Watcher:
    """Remembers which steps began."""

    def __init__(self) -> None:
        """Nothing began yet."""
        self.told: list[str] = []

    def step_started(self, step: Step[Any], number: int, count: int) -> None:
        """Remember that a step began."""
        self.told.append(f"{number}/{count} {step.by} {step.id}")


def step(name: str, act: Callable[[Stage[Facts]], str], *needs: str) -> Step[Facts]:
    return Step(name, "Something is done", SCANNER, "RAD-8", "something", act, needs)


def trial(*steps: Step[Facts], **rest: Any) -> Scenario[Facts]:
    return Scenario("trial", "Trial", "Summary", Facts, steps, **rest)


def run(*steps: Step[Facts], keep_going: bool = False, only: tuple[str, ...] = (), **rest: Any) -> list[Result]:
    scenario = trial(*steps, **rest)
    wanted = chosen(scenario, only=only)
    return list(run_scenario(scenario, wanted, cast("Lab", NoLab()), Watcher(), keep_going=keep_going))


def seen(_: Stage[Facts]) -> str:
    return "seen"


def fails(_: Stage[Facts]) -> str:
    raise StepFailure("something else")


def finds(stage: Stage[Facts]) -> str:
    stage.facts.found = "it"
    return "found it"


def uses(stage: Stage[Facts]) -> str:
    return f"used {stage.facts.found}"
