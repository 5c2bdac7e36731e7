"""The whole of it on one clone: clean before, every change caught, clean after."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.events import Bus, StageStarted
from lab.operate.trial import trial_lab
from lab.settings import load_settings
from lab.verify.sabotage.run import Report, sabotage, unclean, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.engine.lab import Lab
    from lab.events import Event
    from lab.verify.check import Check


PURPOSE = "sabotage"
"""The clone is called ``<lab>-sabotage``."""


def prove(
    lab: Lab, checks: Sequence[Check], ids: Sequence[str], say: Callable[[str], None], snapshot: str | None = None
) -> Report:
    """Try the changes of these checks on a clone of a lab, or of a snapshot; the clone is removed at the end.

    Raises:
        UsageError: no change is about one of the ids, or there is no such snapshot.
        EngineError: the clone could not be made.
        UnhealthyError: it did not become healthy.
    """
    bus = Bus()

    def tell(event: Event) -> None:
        if isinstance(event, StageStarted):
            say(f"clone: {event.stage} {event.detail}".rstrip())

    bus.subscribe(tell)
    changes = wanted(checks, lab, ids)
    if not changes:
        raise UsageError(
            f"No sabotage is about {' or '.join(ids) or 'these checks'}.",
            remedy="`pacslab verify list` names the promises.",
        )
    with trial_lab(load_settings(), lab, PURPOSE, bus, snapshot) as clone:
        return prove_on(clone, checks, ids, say)


def prove_on(lab: Lab, checks: Sequence[Check], ids: Sequence[str], say: Callable[[str], None]) -> Report:
    """Try the changes of these checks on a lab that may be broken."""
    began = time.monotonic()
    changes = wanted(checks, lab, ids)
    involved = [check for check in checks if any(check is owner for owner, _ in changes)]
    say(f"judging {lab.name} before anything is changed")
    report = Report(unclean=[f"before: {text}" for text in unclean(lab, involved)])
    if not report.unclean:
        report.trials += sabotage(lab, changes, say)
        if len(report.trials) < len(changes):
            report.unclean.append(f"{len(changes) - len(report.trials)} changes were not tried: the clone was spoilt")
        say(f"judging {lab.name} after everything was undone")
        report.unclean += [f"after: {text}" for text in unclean(lab, involved)]
    report.seconds = time.monotonic() - began
    return report
