"""What a scenario is made of: steps that are there without a lab, and the facts that they leave for each other."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar

from lab.errors import UsageError
from lab.results.model import Promise

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.hospital.hospital import Actor
    from lab.scenarios.stage import Stage
    from lab.topology.site import Site

Facts = TypeVar("Facts")
Facts_contra = TypeVar("Facts_contra", contravariant=True)
NAME = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")
"""What scenarios and steps are called: lower case words with hyphens, because result ids are made of them."""


@dataclass(frozen=True)
class Step(Generic[Facts_contra]):
    """One step of a scenario.

    It is complete without a lab: which host acts is asked of the site when the step is run.

    Attributes:
        id: Unique within the scenario; never reused for something else.
        title: What is done, as a person would say it.
        by: Who acts. A step that finds out which of several hosts acts says so with :meth:`Stage.acts`.
        transaction: The IHE, DICOM or HL7 transaction it performs.
        expected: What has to be observed at the receiving side.
        act: Does it and returns what was observed; raises :class:`~lab.scenarios.failure.StepFailure` with what was
            observed instead.
        needs: Steps that must have passed before; otherwise this one is skipped, with the reason.
    """

    id: str
    title: str
    by: Actor
    transaction: str
    expected: str
    act: Callable[[Stage[Facts_contra]], str] = field(repr=False, compare=False)
    needs: tuple[str, ...] = ()

    def promise(self, scenario: str) -> Promise:
        """What the step judges; its id is ``<scenario>.<step>``."""
        return Promise(f"{scenario}.{self.id}", f"{self.title}: {self.expected}.")


@dataclass(frozen=True)
class Scenario(Generic[Facts]):
    """A named, ordered list of steps; what does not hold together is refused when it is made.

    Attributes:
        name: What ``pacslab scenario run`` calls it; the first word of its results' ids.
        title: Its name for people.
        summary: What it goes through, in one line.
        facts: Makes what the steps leave for each other: a dataclass of the scenario's own.
        steps: The steps, in order.
        also: Who must be there besides those who act.
        without: Functions that the site must not have.
        at_length: It takes minutes, so that it runs only when it is named, or with ``--all``.
    """

    name: str
    title: str
    summary: str
    facts: Callable[[], Facts] = field(repr=False, compare=False)
    steps: tuple[Step[Facts], ...]
    also: tuple[Actor, ...] = ()
    without: tuple[str, ...] = ()
    at_length: bool = False

    def __post_init__(self) -> None:
        """Refuse steps that cannot mean what they say.

        Raises:
            UsageError: a name has another form, an id is used twice, or a need names no earlier step.
        """
        for name in (self.name, *(step.id for step in self.steps)):
            if not NAME.match(name):
                raise UsageError(
                    f"{name!r} cannot be the name of a scenario or step.", remedy="Use lower case words with hyphens."
                )
        twice = [name for name, count in Counter(step.id for step in self.steps).items() if count > 1]
        if twice:
            raise UsageError(
                f"Scenario {self.name} uses step ids more than once: {', '.join(twice)}.",
                remedy="Give each step an id of its own.",
            )
        earlier: set[str] = set()
        for step in self.steps:
            missing = [need for need in step.needs if need not in earlier]
            if missing:
                raise UsageError(
                    f"Step {step.id} of {self.name} needs {', '.join(missing)}, which no earlier step is called.",
                    remedy="Name earlier steps only.",
                )
            earlier.add(step.id)

    @property
    def promises(self) -> tuple[Promise, ...]:
        """Everything that it judges."""
        return tuple(step.promise(self.name) for step in self.steps)

    @property
    def actors(self) -> tuple[Actor, ...]:
        """Who must be there, each once."""
        return tuple(dict.fromkeys([*(step.by for step in self.steps), *self.also]))

    def unfit(self, site: Site) -> list[str]:
        """Why it cannot be run on a site; nothing where it can."""
        lacking = [f"no host is {actor}" for actor in self.actors if not actor.hosts(site)]
        disturbing = [f"{host} is {function}" for function in self.without for host in site.with_function(function)]
        return [*lacking, *disturbing]
