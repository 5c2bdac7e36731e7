"""What discovery found, as a result and, where it is not as described, as an event for the site's log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lab.assets.tell import difference_event
from lab.results.model import Observation, Outcome, judged

if TYPE_CHECKING:
    from lab.results.model import Promise, Result

UNDECLARED, MISSING, CHANGED = "undeclared-asset", "missing-asset", "changed-asset"
"""Reasons of docs/events.md."""
REASON = "reason"
"""The key of a result's facts that says which of them it is; the other facts are the event's."""


def as_described(promise: Promise, host: str, *, subject: str, expected: str, read: str, source: str) -> Result:
    """What was found is what the description has."""
    seen = (Observation(read, source, time.time()),)
    return judged(
        promise, host, Outcome.PASSED, subject=subject, expected=expected, observed=expected, observations=seen
    )


def otherwise(
    promise: Promise,
    host: str,
    reason: str,
    *,
    subject: str,
    expected: str,
    observed: str,
    read: str,
    source: str,
    remedy: str,
    **facts: Any,
) -> Result:
    """What was found is something else: ``facts`` are keys of event ``find-asset``."""
    return judged(
        promise,
        host,
        Outcome.FAILED,
        subject=subject,
        expected=expected,
        observed=observed,
        observations=(Observation(read, source, time.time()),),
        remedy=remedy,
        facts={REASON: reason, **facts},
    )


def event_of(result: Result) -> dict[str, Any] | None:
    """The event of a result that failed; none of any other."""
    if result.outcome is not Outcome.FAILED or REASON not in result.facts:
        return None
    facts = {"expected": result.expected, "observed": result.observed, **result.facts}
    return difference_event(facts.pop(REASON), **facts)
