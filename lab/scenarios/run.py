"""Runs a scenario's steps in order; each yields a result of the one form that all judgements have."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from lab.errors import PacslabError, UsageError
from lab.hospital.errors import HospitalError
from lab.hospital.hospital import Hospital
from lab.results.model import Observation, Outcome, judged
from lab.scenarios.failure import NothingToJudge, StepFailure
from lab.scenarios.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.scenarios.model import Scenario, Step
    from lab.topology.site import Site

Facts = TypeVar("Facts")
MISTAKE = "Report it with the traceback that the run keeps (`pacslab runs show last --json`)."


class Audience(Protocol):
    """Who watches a run."""

    def step_started(self, step: Step[Any], number: int, count: int) -> None:
        """A step begins; ``number`` counts from 1."""


def require_fit(scenario: Scenario[Any], site: Site) -> None:
    """Refuse a scenario that a site is not for.

    Raises:
        UsageError: the site lacks somebody whom it asks for, or has somebody whom it excludes.
    """
    unfit = scenario.unfit(site)
    if unfit:
        raise UsageError(
            f"Scenario {scenario.name} is not for site {site.name}: {', '.join(unfit)}.",
            remedy="Run it on a site that it is for, such as reference, or another of `pacslab scenario list`.",
        )


def run_scenario(
    scenario: Scenario[Facts], steps: Sequence[Step[Facts]], lab: Lab, audience: Audience, *, keep_going: bool = False
) -> Iterator[Result]:
    """Run steps, and yield the result of each as it comes.

    A step of which a need did not pass is skipped. With ``keep_going`` it is tried all the same, and skipped only
    where it misses a fact that the need would have found out.

    Raises:
        UsageError: the scenario is not for this site.
    """
    require_fit(scenario, lab.site)
    stage = Stage(Hospital(lab), scenario.facts())
    runner = _Runner(scenario, stage)
    outcomes: dict[str, Outcome] = {}
    for number, step in enumerate(steps, start=1):
        audience.step_started(step, number, len(steps))
        unmet = [need for need in step.needs if outcomes.get(need) is not Outcome.PASSED]
        result = runner.skip(step, unmet) if unmet and not keep_going else runner.run(step, unmet)
        outcomes[step.id] = result.outcome
        yield result


@dataclass(frozen=True)
class _Runner:
    """Runs the steps of one scenario on one stage."""

    scenario: Scenario[Any]
    stage: Stage[Any]

    def skip(self, step: Step[Any], unmet: Sequence[str]) -> Result:
        """A step that makes no sense without those before it."""
        return self._judged(step, Outcome.SKIPPED, reason=f"{_named(unmet)} did not pass")

    def run(self, step: Step[Any], unmet: Sequence[str]) -> Result:
        """Run a step; ``unmet`` are needs that did not pass."""
        trail = self.stage.hospital.trail
        trail.take()
        self.stage.acting = None
        begun = time.monotonic()
        result = self._try(step, unmet)
        seen = (*trail.take(), *result.observations)
        return replace(result, seconds=time.monotonic() - begun, observations=seen)

    def _try(self, step: Step[Any], unmet: Sequence[str]) -> Result:
        again = f"Again, with what it needs: `pacslab scenario run {self.scenario.name} --only {step.id}`."
        try:
            return self._judged(step, Outcome.PASSED, observed=step.act(self.stage))
        except StepFailure as failure:
            return self._judged(step, Outcome.FAILED, observed=str(failure), remedy=again)
        except NothingToJudge as nothing:
            return self._judged(step, Outcome.NOT_APPLICABLE, reason=str(nothing))
        except HospitalError as error:  # a system that does not answer as it should is what was observed
            return self._judged(step, Outcome.FAILED, observed=error.message, remedy=f"{error.remedy} {again}")
        except PacslabError as error:
            return self._judged(step, Outcome.ERROR, reason=error.message, remedy=error.remedy)
        except Exception as error:  # noqa: BLE001 # a mistake of the program is told as one, and the other steps go on
            return self._mistaken(step, error, unmet)

    def _mistaken(self, step: Step[Any], error: Exception, unmet: Sequence[str]) -> Result:
        """A fact that is missing because a need did not pass; else a mistake of the program, with its traceback."""
        if unmet and isinstance(error, AttributeError) and error.obj is self.stage.facts:
            return self._judged(
                step, Outcome.SKIPPED, reason=f"{_named(unmet)} did not pass, so there is no {error.name!r}"
            )
        said = f"a mistake of the program: {type(error).__name__}: {error}"
        read = (Observation(traceback.format_exc(), f"traceback of step {step.id}", time.time()),)
        return self._judged(step, Outcome.ERROR, reason=said, remedy=MISTAKE, observations=read)

    def _judged(self, step: Step[Any], outcome: Outcome, **rest: Any) -> Result:
        return judged(
            step.promise(self.scenario.name),
            self.stage.acting or self.stage.hospital.host(step.by),
            outcome,
            expected=step.expected,
            facts={"title": step.title, "transaction": step.transaction},
            **rest,
        )


def _named(steps: Sequence[str]) -> str:
    return ", ".join(steps)


def has_passed(results: Sequence[Result]) -> bool:
    """Whether a scenario's run passed: something was judged, and no step failed, could not be judged or was skipped."""
    outcomes = {result.outcome for result in results}
    return Outcome.PASSED in outcomes and outcomes <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}
