"""Every abuse case is refused as shipped, and would succeed without the control that stops it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.abuse.registry import cases
from lab.abuse.twins import Twins
from lab.events import Bus, StageStarted
from lab.operate.trial import trial_lab
from lab.results.model import Outcome
from lab.settings import load_settings
from lab.verify.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.events import Event
    from lab.results.model import Result
    from lab.verify.check import Context

PURPOSE = "abuse"
"""The clone is called ``<lab>-abuse``."""


def check_abuse(context: Context) -> Iterator[Result]:
    """Try every case twice on a clone, which is removed at the end.

    Raises:
        UsageError: there is no such snapshot, or the lab has no log collector.
        EngineError: the clone could not be made.
        UnhealthyError: it did not become healthy.
    """
    wanted = [case for case in cases().values() if context.wants(case.promise)]
    bus = Bus()

    def tell(event: Event) -> None:
        if isinstance(event, StageStarted):
            context.say(f"clone: {event.stage} {event.detail}".rstrip())

    bus.subscribe(tell)
    with trial_lab(load_settings(), context.lab, PURPOSE, bus, context.snapshot) as clone:
        yield from Twins(clone, context.say, context.wants_host).run(wanted)


def tally(results: Sequence[Result]) -> dict[str, Any]:
    """How many cases apply here, and which of them prove nothing."""
    tried = [result for result in results if result.outcome is not Outcome.NOT_APPLICABLE]
    unproven = [result.id for result in tried if result.outcome is not Outcome.PASSED]
    return {"cases": len(tried), "proven": len(tried) - len(unproven), "unproven": unproven}


CHECK = Check(
    name="abuse",
    summary="every abuse case on a clone, twice: refused as shipped, and successful without its control",
    promises=tuple(case.promise for case in cases().values()),
    judge=check_abuse,
    changes_lab=True,
    proves_itself=True,
    tally=tally,
)
