"""What the last runs of a lab say of each row: supported, failed, not run, or nothing yet."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from lab.controls.promises import Kind
from lab.results.model import Outcome, counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lab.controls.map import ControlMap, Place
    from lab.controls.model import Row
    from lab.controls.promises import Promised
    from lab.results.model import Result
    from lab.results.store import KeptRun

    Latest = Mapping[str, tuple[KeptRun, Sequence[Result]]]
    """For each result id, the last run that judged it, and what it found: :func:`lab.results.store.latest`."""


class Standing(StrEnum):
    """What is known of a row, or of one piece of its evidence."""

    SUPPORTED = "supported"
    """Everything that is named was judged, and passed."""
    FAILED = "failed"
    """Something that is named failed, or could not be judged."""
    NOT_RUN = "not run"
    """Nothing failed, and something was not judged yet, or was skipped."""
    NOTHING = "nothing yet"
    """No result is named that the site could yield: there is nothing to run."""
    NOT_APPLICABLE = "not applicable"
    """Of one piece of evidence only: the site has nothing that it is about."""


@dataclass(frozen=True)
class Evidence:
    """One result id that a row names, and what the last run that judged it found.

    Attributes:
        promised: What is promised.
        standing: What came of it.
        run: The run's id; None where no run judged it.
        at: When the run began, in seconds since 1970.
        commit: The toolkit's commit; empty where it is not known.
        results: What the run found.
    """

    promised: Promised
    standing: Standing
    run: str | None = None
    at: float | None = None
    commit: str = ""
    results: tuple[Result, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the evidence as ``--json`` prints it, with what was not good in full."""
        return {
            "id": self.promised.id,
            "promise": self.promised.text,
            "standing": self.standing.value,
            "run": self.run,
            "at": self.at,
            "commit": self.commit,
            "counts": counts(self.results),
            "failed": [result.as_dict() for result in self.results if not result.good],
        }


@dataclass(frozen=True)
class RowStanding:
    """A row with its evidence."""

    place: Place
    row: Row
    standing: Standing
    evidence: tuple[Evidence, ...]

    @property
    def passed(self) -> int:
        """How many pieces of evidence are as promised."""
        return sum(entry.standing is Standing.SUPPORTED for entry in self.evidence)

    def as_dict(self) -> dict[str, Any]:
        """Return the row as ``--json`` prints it."""
        content = self.row.model_dump(mode="json")
        return {
            "id": self.place.row,
            "function": f"{self.place.function.title} ({self.place.function.id})",
            "category": f"{self.place.category.title} ({self.place.category.id})",
            **content,
            "standing": self.standing.value,
            "evidence": [entry.as_dict() for entry in self.evidence],
        }


def standings(controls: ControlMap, promises: Mapping[str, Promised], latest: Latest) -> list[RowStanding]:
    """Every row in the order of the table, with what is known of its evidence."""
    found = []
    claims = list(controls.claims())
    for place in controls.places():
        patterns = [claim for claim in claims if claim.row == place.row]
        named = [promised for promised in promises.values() if any(claim.covers(promised.id) for claim in patterns)]
        evidence = tuple(_evidence(promised, latest) for promised in _with_completions(named, promises))
        found.append(RowStanding(place, controls.rows[place.row].content, _of_all(evidence), evidence))
    return found


def _with_completions(named: list[Promised], promises: Mapping[str, Promised]) -> list[Promised]:
    """Add that the checks ran to their end: a check that broke off has not judged everything that it promises."""
    checks = {promised.id.partition(".")[0] for promised in named if promised.kind is Kind.CHECK}
    ends = [
        entry for entry in promises.values() if entry.kind is Kind.COMPLETION and entry.id.partition(".")[0] in checks
    ]
    return [*(entry for entry in named if entry.kind is not Kind.COMPLETION), *ends]


def _evidence(promised: Promised, latest: Latest) -> Evidence:
    if promised.id not in latest:
        return Evidence(promised, Standing.NOT_RUN)
    run, results = latest[promised.id]
    return Evidence(
        promised,
        _of_results(results),
        run.id,
        run.manifest.get("begun"),
        run.manifest.get("commit", ""),
        tuple(results),
    )


def _of_results(results: Sequence[Result]) -> Standing:
    outcomes = {result.outcome for result in results}
    if outcomes & {Outcome.FAILED, Outcome.ERROR}:
        return Standing.FAILED
    if Outcome.SKIPPED in outcomes:
        return Standing.NOT_RUN
    return Standing.SUPPORTED if Outcome.PASSED in outcomes else Standing.NOT_APPLICABLE


def _of_all(evidence: Sequence[Evidence]) -> Standing:
    if not evidence:
        return Standing.NOTHING
    found = {entry.standing for entry in evidence}
    if Standing.FAILED in found:
        return Standing.FAILED
    own = {entry.standing for entry in evidence if entry.promised.kind is not Kind.COMPLETION}
    shown = Standing.SUPPORTED in own and Standing.NOT_RUN not in found
    return Standing.SUPPORTED if shown else Standing.NOT_RUN
