"""A refusal, proven by three things: refused cleanly, on record at the collector, and the service unharmed."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lab.scenarios.attempt import Attempt
from lab.scenarios.credentials import placed
from lab.scenarios.failure import StepFailure, require
from lab.scenarios.model import Step

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.hospital.hospital import Actor
    from lab.scenarios.attempt import Control
    from lab.scenarios.stage import Stage
    from lab.trust.untrusted_certificates import Bundle

Facts = TypeVar("Facts")
RECORDED_WITHIN = 20
"""Seconds in which the refusal has to reach the log collector."""


@dataclass(frozen=True)
class Refusal(Generic[Facts]):
    """One attempt that has to be refused.

    Attributes:
        id: step id.
        title: what is tried.
        case: case of ``pacslab-misuse``.
        source: who tries.
        target: who refuses, and whose log has to say so.
        evidence: words of which each has to stand in one line of the target's log.
        unharmed: the positive control, unless the case has one of its own (DICOM: C-ECHO as permitted); raises
            :class:`StepFailure` when the service no longer does what it should.
        words: further arguments of the case.
        credential: what to present instead of the host's own certificate.
        host: which host tries, where facts say so; otherwise any that is ``source``.
        needs: steps without which the attempt makes no sense.
    """

    id: str
    title: str
    case: str
    source: Actor
    target: Actor
    evidence: Callable[[Stage[Facts]], tuple[str, ...]] = field(repr=False)
    unharmed: Callable[[Stage[Facts]], str] | None = field(default=None, repr=False)
    words: Callable[[Stage[Facts]], list[str]] = field(default=lambda _: [], repr=False)
    credential: Callable[[Stage[Facts]], Bundle] | None = field(default=None, repr=False)
    host: Callable[[Facts], str] | None = field(default=None, repr=False)
    needs: tuple[str, ...] = ()

    def step(self) -> Step[Facts]:
        """The refusal as a step of a scenario."""
        return Step(
            id=self.id,
            title=self.title,
            by=self.source,
            transaction=self.case.split("-")[0].upper(),
            expected=f"{self.target} refuses, its log at the collector says so, and it still serves",
            act=self._prove,
            needs=self.needs,
        )

    def _prove(self, stage: Stage[Facts]) -> str:
        hospital = stage.hospital
        source = self.host(stage.facts) if self.host else hospital.host(self.source)
        target = hospital.host(self.target)
        stage.acts(source)
        mark = hospital.collected.mark(target)
        with ExitStack() as stack:
            presenting: list[str] = []
            if self.credential is not None:
                presenting = stack.enter_context(placed(stage, source, self.credential(stage)))
            words = ["--peer", target, *presenting, *self.words(stage), "--control", "--json"]
            outcome = hospital.ask(source, ["pacslab-misuse", self.case, *words], Attempt, timeout=120)
        require(outcome.refused, f"{target} let it through: {outcome.detail}")
        evidence = self.evidence(stage)
        line = hospital.collected.wait(
            target, mark, lambda one: all(word in _words(one) for word in evidence), timeout=RECORDED_WITHIN
        )
        collector = hospital.collected.centre
        if line is None:
            seen = [_words(one)[:160] for one in hospital.collected.since(target, mark)][-3:]
            raise StepFailure(
                f"refused ({outcome.detail}), but no line of {target} at {collector} has"
                f" {' and '.join(evidence)}; the last ones: {seen}"
            )
        hospital.trail.note(json.dumps(line), f"log of {target} at {collector}", time.time())
        unharmed = self._unharmed(stage, target, outcome.control)
        return f"refused at {outcome.layer}: {outcome.detail}; {collector} has it: {_words(line)[:200]}; {unharmed}"

    def _unharmed(self, stage: Stage[Facts], target: str, control: Control | None) -> str:
        if self.unharmed is not None:
            return self.unharmed(stage)
        if control is None:
            raise StepFailure("the case has no positive control, so an unharmed service is not shown")
        require(not control.refused, f"afterwards {target} refuses what is permitted too: {control.detail}")
        return f"{target} still answers C-ECHO"


def _words(line: dict[str, Any]) -> str:
    """What a collected line says, as one text: the program and its message."""
    return f"{line.get('program', '')}: {line.get('message') or json.dumps(line)}"
