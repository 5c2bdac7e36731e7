"""Everything that can be judged: promises of checks, steps of scenarios and drills, gathered without a lab."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from lab.abuse import cases as abuse_cases
from lab.drills import cases as drill_cases
from lab.drills.registry import drills
from lab.scenarios.model import Scenario
from lab.scenarios.registry import scenarios
from lab.verify import registry
from lab.verify.registry import checks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.topology.site import Site


class Kind(StrEnum):
    """What judges a promise."""

    CHECK = "check"
    STEP = "step of a scenario"
    DRILL = "drill"
    COMPLETION = "end of a check"
    """That a check runs to its end: nothing of its own to show, but without it the rest is not shown."""


@dataclass(frozen=True)
class Promised:
    """Something that can be judged.

    Attributes:
        id: The id of its results.
        text: What is promised.
        kind: What judges it.
        files: Where it may have been written down; the first is meant where none of them has it in so many words.
        word: How it is called there.
    """

    id: str
    text: str
    kind: Kind
    files: tuple[Path, ...]
    word: str

    @property
    def place(self) -> tuple[Path, int]:
        """The file and line that name it; line 0 where the name is put together."""
        for path in self.files:
            for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
                if f'"{self.word}"' in line:
                    return path, number
        return self.files[0], 0


def promises() -> dict[str, Promised]:
    """Everything that can be judged, by id."""
    return {promised.id: promised for promised in (*_of_checks(), *_of_scenarios(), *_of_drills())}


def promises_for(site: Site) -> dict[str, Promised]:
    """Everything that can be judged on a site, by id: steps of scenarios that it is not for are left out."""
    elsewhere = {
        promise.id for scenario in scenarios().values() if scenario.unfit(site) for promise in scenario.promises
    }
    return {name: promised for name, promised in promises().items() if name not in elsewhere}


def _of_checks() -> Iterator[Promised]:
    for check in checks().values():
        first = Path(inspect.getfile(check.judge))
        folders = (Path(inspect.getfile(package)).parent for package in (registry, abuse_cases))
        files = (first, *check.files, *(path for folder in folders for path in sorted(folder.rglob("*.py"))))
        for promise in check.promises:
            yield Promised(promise.id, promise.text, Kind.CHECK, files, promise.id)
        yield Promised(check.completes.id, check.completes.text, Kind.COMPLETION, files, check.name)


def _of_scenarios() -> Iterator[Promised]:
    files = tuple(sorted(Path(inspect.getfile(Scenario)).parent.rglob("*.py")))
    for scenario in scenarios().values():
        for step in scenario.steps:
            promise = step.promise(scenario.name)
            yield Promised(promise.id, promise.text, Kind.STEP, files, step.id)


def _of_drills() -> Iterator[Promised]:
    files = tuple(sorted(Path(inspect.getfile(drill_cases)).parent.glob("*.py")))
    for drill in drills().values():
        yield Promised(drill.id, drill.promise.text, Kind.DRILL, files, drill.id)
