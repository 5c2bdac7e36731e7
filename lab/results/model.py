"""What everything that judges yields: a promise, and whether it was kept, with the raw observation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping  # noqa: TC003 # who reads a result back looks at its fields' types
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

ID = re.compile(r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")
"""A result's id: words joined by dots, the first naming the check or scenario."""


class Outcome(StrEnum):
    """How a judgement came out; two states would hide too much."""

    PASSED = "passed"
    """What was expected was observed."""
    FAILED = "failed"
    """Something else was observed."""
    ERROR = "error"
    """Nothing could be observed: the judge itself did not work."""
    SKIPPED = "skipped"
    """Not judged in this run, although it could be; the reason is told."""
    NOT_APPLICABLE = "not applicable"
    """There is nothing here to judge; the reason is told."""


@dataclass(frozen=True)
class Observation:
    """Something as it was read, before anybody judged it.

    Attributes:
        text: What was read.
        source: The command, file or log that it was read from, and on which host.
        at: When, in seconds since 1970.
    """

    text: str
    source: str
    at: float


@dataclass(frozen=True)
class Promise:
    """What can be judged.

    Attributes:
        id: Dotted, unique in the product, and never used again for something else: controls name it as evidence.
        text: What holds while it is kept, in one sentence.
    """

    id: str
    text: str


@dataclass(frozen=True)
class Result:
    """One promise, judged once.

    Attributes:
        id: The promise's id.
        promise: The promise's text.
        host: The lab host that it is about.
        outcome: How it came out.
        expected: What had to be observed.
        observed: What was, in words.
        subject: What it is about within the host: a port, a path, a pair of hosts.
        observations: What was read, unjudged.
        seconds: How long judging took.
        remedy: What to do when it was not kept.
        reason: Why it was skipped, does not apply, or could not be judged.
        facts: Further data about the subject, for machines.
    """

    id: str
    promise: str
    host: str
    outcome: Outcome
    expected: str = ""
    observed: str = ""
    subject: str = ""
    observations: tuple[Observation, ...] = ()
    seconds: float = 0.0
    remedy: str = ""
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """False when the promise was not kept, or could not be judged."""
        return self.outcome not in {Outcome.FAILED, Outcome.ERROR}

    def timed(self, seconds: float) -> Result:
        """The same, with how long judging took."""
        return replace(self, seconds=seconds)

    def __str__(self) -> str:
        """One line for people: where, what was promised, and what was found instead."""
        where = f"{self.host}: {self.subject}" if self.subject else self.host
        said = {
            Outcome.FAILED: f"expected {self.expected}; observed {self.observed}.",
            Outcome.ERROR: f"not judged: {self.reason}",
            Outcome.PASSED: self.observed,
        }.get(self.outcome, f"{self.outcome}: {self.reason}")
        return " ".join(part for part in (f"{self.id} [{where}]", said, self.remedy if not self.good else "") if part)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as the store keeps it and ``--json`` prints it."""
        return {
            **asdict(self),
            "observations": [asdict(observation) for observation in self.observations],
            "facts": dict(self.facts),
            "seconds": round(self.seconds, 3),
            "message": str(self),
        }


def judged(promise: Promise, host: str, outcome: Outcome, **rest: Any) -> Result:
    """A result of a promise; ``rest`` are the further attributes of :class:`Result`."""
    return Result(promise.id, promise.text, host, outcome, **rest)


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each outcome, all outcomes named."""
    found = Counter(result.outcome for result in results)
    return {outcome.value: found.get(outcome, 0) for outcome in Outcome}


def all_good(results: Iterable[Result]) -> bool:
    """True when something was judged, and nothing failed or could not be judged: skipping everything proves nothing."""
    number = counts(results)
    return number["passed"] > 0 and not number["failed"] and not number["error"]
