"""A refusal, proven by three things: refused cleanly, on record at the collector, and the service unharmed."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lab.scenarios.credentials import placed
from lab.scenarios.model import Step
from lab.scenarios.stage import require

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.scenarios.stage import Stage
    from lab.trust.untrusted_certificates import Bundle

RECORDED_WITHIN = 20
"""Seconds in which the refusal has to reach the log collector."""


@dataclass(frozen=True)
class Refusal:
    """One attempt that has to be refused.

    Attributes:
        id: step id.
        title: what is tried.
        case: case of ``pacslab-misuse``.
        source: host that tries, or a function that tells it once earlier steps have settled it.
        target: host that refuses, and whose log has to say so.
        controls: CSF 1.1 subcategories.
        evidence: words of which each has to stand in one line of the target's log.
        unharmed: the positive control, unless the case has one of its own (DICOM: C-ECHO as permitted); raises
            :class:`StepFailure` when the service no longer does what it should.
        words: further arguments of the case, known once earlier steps have run.
        credential: what to present instead of the host's own certificate.
        needs: steps without which the attempt makes no sense.
    """

    id: str
    title: str
    case: str
    source: str | Callable[[Stage], str]
    target: str
    controls: tuple[str, ...]
    evidence: tuple[str, ...]
    unharmed: Callable[[Stage], str] | None = field(default=None, repr=False)
    words: Callable[[Stage], list[str]] = field(default=lambda _: [], repr=False)
    credential: Callable[[Stage], Bundle] | None = field(default=None, repr=False)
    needs: tuple[str, ...] = ()

    def step(self) -> Step:
        """The refusal as a step of a scenario."""
        return Step(
            id=self.id,
            title=self.title,
            host=self.source,
            transaction=self.case.split("-")[0].upper(),
            controls=self.controls,
            expected=f"{self.target} refuses, its log at the collector says so, and it still serves",
            act=self._prove,
            needs=self.needs,
        )

    def _prove(self, stage: Stage) -> str:
        source = self.source if isinstance(self.source, str) else self.source(stage)
        mark = stage.collected.mark(self.target)
        with ExitStack() as stack:
            presenting: list[str] = []
            if self.credential is not None:
                presenting = stack.enter_context(placed(stage, source, self.credential(stage)))
            argv = [
                "pacslab-misuse",
                self.case,
                "--peer",
                self.target,
                *presenting,
                *self.words(stage),
                "--control",
                "--json",
            ]
            outcome = stage.ask(source, argv, timeout=120)
        require(outcome["refused"], f"{self.target} let it through: {outcome['detail']}")
        line = stage.collected.wait(self.target, mark, self._is_evidence, timeout=RECORDED_WITHIN)
        collector = stage.collected.centre
        if line is None:
            seen = [_words(one)[:160] for one in stage.collected.since(self.target, mark)][-3:]
            require(
                condition=False,
                observed=f"refused ({outcome['detail']}), but no line of {self.target} at {collector} has"
                f" {' and '.join(self.evidence)}; the last ones: {seen}",
            )
        unharmed = self._unharmed(stage, outcome.get("control"))
        return (
            f"refused at {outcome['layer']}: {outcome['detail']}; {collector} has it: {_words(line)[:200]}; {unharmed}"
        )

    def _unharmed(self, stage: Stage, control: dict[str, Any] | None) -> str:
        if self.unharmed is not None:
            return self.unharmed(stage)
        require(control is not None, "the case has no positive control, so an unharmed service is not shown")
        require(not (control or {})["refused"], f"afterwards {self.target} refuses what is permitted too: {control}")
        return f"{self.target} still answers C-ECHO"

    def _is_evidence(self, line: dict[str, Any]) -> bool:
        text = _words(line)
        return all(word in text for word in self.evidence)


def _words(line: dict[str, Any] | None) -> str:
    """What a collected line says, as one text: the program and its message."""
    if line is None:
        return ""
    return f"{line.get('program', '')}: {line.get('message') or json.dumps(line)}"
