"""Makes one change after the other on a lab, judges it, and undoes it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from lab.deadline import Deadline
from lab.errors import PacslabError
from lab.verify.check import Context
from lab.verify.run import run_checks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.verify.check import Check
    from lab.verify.mutation import Mutation

ATTEMPTS = 3
PAUSE = 1.5
"""Seconds between attempts: what was restarted may need them."""
CLEAN_WITHIN = 60.0
"""Seconds in which a lab has to be clean again after a change was undone."""


@dataclass(frozen=True)
class Trial:
    """What became of one change.

    Attributes:
        promise: The id that had to fail.
        host: The host that it was made on.
        subject: What it was about there.
        caught: Whether exactly the right results failed.
        failed: The ids that failed.
        unforeseen: Those of them that should not have.
        spoilt: Whether the lab is not as it was: nothing more can be tried on it.
        why: Why it was not caught, or what went wrong; empty when it was caught.
        seconds: How long it took, with undoing.
    """

    promise: str
    host: str
    subject: str
    caught: bool
    failed: tuple[str, ...] = ()
    unforeseen: tuple[str, ...] = ()
    spoilt: bool = False
    why: str = ""
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the trial as ``--json`` prints it."""
        return {**asdict(self), "seconds": round(self.seconds, 2)}


@dataclass
class Report:
    """All trials, and whether the lab was clean before and after them."""

    trials: list[Trial] = field(default_factory=list)
    unclean: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def missed(self) -> list[Trial]:
        """The changes that were not caught, or not by exactly the right checks."""
        return [trial for trial in self.trials if not trial.caught]

    @property
    def passed(self) -> bool:
        """Whether every change was caught, and nothing of them is left."""
        return bool(self.trials) and not self.missed and not self.unclean

    def total(self) -> str:
        """The report for people: what was missed, what is left, and how many there were."""
        lines = [f"MISSED  {trial.promise} [{trial.host}] {trial.why}" for trial in self.missed]
        lines += [f"UNCLEAN {text}" for text in self.unclean]
        caught = len(self.trials) - len(self.missed)
        return "\n".join([*lines, f"{len(self.trials)} mutations, {caught} caught, in {self.seconds:.1f} s"])

    def as_dict(self) -> dict[str, Any]:
        """Return the report as ``--json`` prints it."""
        return {
            "mutations": len(self.trials),
            "caught": len(self.trials) - len(self.missed),
            "missed": [trial.promise for trial in self.missed],
            "seconds": round(self.seconds, 1),
            "unclean": self.unclean,
            "trials": [trial.as_dict() for trial in self.trials],
        }


def wanted(checks: Iterable[Check], lab: Lab, ids: Sequence[str]) -> list[tuple[Check, Mutation]]:
    """The changes whose promise is wanted, each with its check; without patterns, every one."""
    return [
        (check, change)
        for check in checks
        for change in check.mutations(lab.site)
        if not ids or any(fnmatchcase(change.promise, pattern) for pattern in ids)
    ]


def sabotage(lab: Lab, changes: Sequence[tuple[Check, Mutation]], say: Callable[[str], None]) -> Iterator[Trial]:
    """Try every change on a lab that may be changed, and yield what became of each."""
    for number, (check, change) in enumerate(changes, start=1):
        began = time.monotonic()
        trial = _try(lab, check, change)
        spent = replace(trial, seconds=time.monotonic() - began)
        word = "caught" if spent.caught else "MISSED"
        where = f"{change.host}: {change.subject}" if change.subject else change.host
        say(f"{number}/{len(changes)} {word}  {change.promise} [{where}] {spent.why}".rstrip())
        yield spent
        if spent.spoilt:
            return


def unclean(lab: Lab, checks: Sequence[Check]) -> list[str]:
    """What does not hold on a lab, although nothing is changed."""
    return [str(result) for result in _judge(lab, checks, (), ()) if not result.good]


def _judge(lab: Lab, checks: Sequence[Check], hosts: Iterable[str], ids: Iterable[str]) -> list[Result]:
    context = Context(lab, lambda _: None, frozenset(hosts), tuple(ids))
    return list(run_checks(checks, context))


def _try(lab: Lab, check: Check, change: Mutation) -> Trial:
    trial = Trial(change.promise, change.host, change.subject, caught=False)
    try:
        undo = change.make(lab)
    except PacslabError as error:
        return replace(trial, why=f"it could not be made: {error.message}")
    try:
        trial = _seen(lab, check, change, trial)
    finally:
        why = _undone(undo)
    if not why:
        left = _left(lab, check, change, trial.failed)
        why = f"undone, and still: {left}" if left else ""
    return replace(trial, caught=False, spoilt=True, why=why) if why else trial


def _seen(lab: Lab, check: Check, change: Mutation, trial: Trial) -> Trial:
    """What the check says while the change stands."""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE)
        try:
            bad = [result for result in _judge(lab, [check], change.hosts, change.judged) if not result.good]
        except PacslabError as error:
            return replace(trial, why=error.message)
        failed = tuple(sorted({result.id for result in bad}))
        foreign = tuple(name for name in failed if not _foreseen(change, name))
        seen = any(_is_it(change, result) for result in bad)
        trial = replace(trial, caught=seen and not foreign, failed=failed, unforeseen=foreign)
        if trial.caught:
            return trial
    return replace(trial, why=f"also failed: {', '.join(trial.unforeseen)}" if seen else "nothing of it was seen")


def _undone(undo: Callable[[], None]) -> str:
    try:
        undo()
    except PacslabError as error:
        return f"it could not be undone: {error.message}"
    return ""


def _left(lab: Lab, check: Check, change: Mutation, failed: Sequence[str]) -> str:
    """What still fails after a change was undone; empty once the lab is clean again."""
    deadline = Deadline(CLEAN_WITHIN)
    again = tuple(name for name in failed if not name.endswith(".completes")) or (change.promise,)
    while True:
        bad = [result for result in _judge(lab, [check], change.hosts, again) if not result.good]
        if not bad:
            return ""
        if deadline.over:
            return str(bad[0])[:300]
        deadline.pause(PAUSE)


def _foreseen(change: Mutation, name: str) -> bool:
    return name == change.promise or any(fnmatchcase(name, pattern) for pattern in change.also)


def _is_it(change: Mutation, result: Result) -> bool:
    return result.id == change.promise and change.host in {"", result.host} and change.subject in {"", result.subject}
