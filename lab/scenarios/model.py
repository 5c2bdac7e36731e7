"""What a scenario is made of: steps, what they observed, and the record of a run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.scenarios.stage import Stage

CONTROL = re.compile(r"^(ID|PR|DE|RS|RC)\.[A-Z]{2}-\d{1,2}$")
"""A subcategory of the NIST Cybersecurity Framework 1.1, as SP 1800-24's project description maps them (Table 5-1)."""


@dataclass(frozen=True)
class Step:
    """One step of a scenario.

    Attributes:
        id: Unique within the scenario; never reused for something else.
        title: What is done, as a person would say it.
        host: The lab host that acts, or a function that tells it once earlier steps have settled it.
        transaction: The IHE, DICOM or HL7 transaction it performs.
        controls: CSF 1.1 subcategories that the step supports.
        expected: What has to be observed at the receiving side.
        act: Does it and returns what was observed; raises :class:`~lab.scenarios.failure.StepFailure` with what was
            observed instead.
        needs: Steps that must have passed before; otherwise this one is not run, and counts as failed.
    """

    id: str
    title: str
    host: str | Callable[[Stage], str]
    transaction: str
    controls: tuple[str, ...]
    expected: str
    act: Callable[[Stage], str] = field(repr=False, compare=False)
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepResult:
    """What came of one step; ``host`` is who acted, ``seconds`` its duration."""

    step: Step
    host: str
    observed: str
    passed: bool
    seconds: float

    def as_dict(self) -> dict[str, object]:
        """Return the result as ``--json`` prints it."""
        return {
            "id": self.step.id,
            "title": self.step.title,
            "host": self.host,
            "transaction": self.step.transaction,
            "controls": list(self.step.controls),
            "expected": self.step.expected,
            "observed": self.observed,
            "passed": self.passed,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Scenario:
    """A named, ordered list of steps; what does not hold together is refused when it is made."""

    name: str
    title: str
    summary: str
    roles: tuple[str, ...]
    """Roles that the site must have hosts for."""
    build: Callable[[Stage], tuple[Step, ...]] = field(repr=False, compare=False)
    """Makes the steps for one lab: which hosts act depends on its site."""


@dataclass(frozen=True)
class ScenarioResult:
    """One run of a scenario."""

    scenario: str
    steps: tuple[StepResult, ...]

    @property
    def passed(self) -> bool:
        """True when there were steps and every one of them passed."""
        return bool(self.steps) and all(step.passed for step in self.steps)

    def as_dict(self) -> dict[str, object]:
        """Return the run as ``--json`` prints it."""
        return {
            "scenario": self.scenario,
            "passed": self.passed,
            "steps": [step.as_dict() for step in self.steps],
        }


def check_steps(steps: tuple[Step, ...]) -> None:
    """Refuse steps that cannot mean what they say.

    Raises:
        UsageError: an id is used twice, a need names no earlier step, or a control is not one of CSF 1.1's form.
    """
    twice = [name for name, count in Counter(step.id for step in steps).items() if count > 1]
    if twice:
        raise UsageError(
            f"Step ids used more than once: {', '.join(twice)}.", remedy="Give each step an id of its own."
        )
    earlier: set[str] = set()
    for step in steps:
        missing = [need for need in step.needs if need not in earlier]
        if missing:
            raise UsageError(
                f"Step {step.id} needs {', '.join(missing)}, which no earlier step is called.",
                remedy="Name earlier steps only.",
            )
        wrong = [control for control in step.controls if not CONTROL.match(control)]
        if wrong or not step.controls:
            raise UsageError(
                f"Step {step.id} has no control, or one that CSF 1.1 does not have: {', '.join(wrong) or 'none'}.",
                remedy="Use subcategory ids such as PR.DS-2.",
            )
        earlier.add(step.id)
