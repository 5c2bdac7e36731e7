"""Runs checks one after the other; whatever goes wrong in one of them is a result too, and the others go on."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING

from lab.errors import PacslabError, UsageError
from lab.results.model import Observation, Outcome, judged

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from lab.results.model import Result
    from lab.verify.check import Check, Context


def run_checks(checks: Sequence[Check], context: Context) -> Generator[Result]:
    """Yield the results of every check as they come, and for each that it ran to its end, or why it did not.

    Raises:
        UsageError: a host is not the lab's, or no promise of these checks has one of the ids.
    """
    for host in sorted(context.hosts):
        context.lab.container(host)
    promises = [promise for check in checks for promise in (*check.promises, check.completes)]
    if not any(context.wants(promise) for promise in promises):
        raise UsageError(
            f"Nothing that {', '.join(check.name for check in checks)} can judge is called {' or '.join(context.ids)}.",
            remedy="`pacslab verify list` names everything.",
        )
    for check in checks:
        if any(context.wants(promise) for promise in (*check.promises, check.completes)):
            yield from _run(check, context)


def _run(check: Check, context: Context) -> Iterator[Result]:
    began, count = time.monotonic(), 0
    context.say(f"{check.name}: {check.summary}")
    try:
        for result in check.judge(context):
            count += 1
            yield result
    except PacslabError as error:
        yield _broken(check, context.lab.name, error.message, error.remedy, ()).timed(time.monotonic() - began)
        return
    except Exception as error:  # noqa: BLE001 # a mistake of the program is told as one, and the other checks go on
        text = traceback.format_exc()
        said = f"a mistake of the program: {type(error).__name__}: {error}"
        remedy = "Report it with the traceback that the run keeps (`pacslab runs show last --json`)."
        read = (Observation(text, f"traceback of check {check.name}", time.time()),)
        yield _broken(check, context.lab.name, said, remedy, read).timed(time.monotonic() - began)
        return
    outcome = Outcome.PASSED if count else Outcome.NOT_APPLICABLE
    yield judged(
        check.completes,
        context.lab.name,
        outcome,
        expected="the check runs to its end",
        observed=f"{count} results",
        reason="" if count else "nothing here to judge",
        seconds=time.monotonic() - began,
    )


def _broken(check: Check, lab: str, why: str, remedy: str, read: tuple[Observation, ...]) -> Result:
    return judged(
        check.completes,
        lab,
        Outcome.ERROR,
        expected="the check runs to its end",
        observed=why,
        reason=why,
        remedy=remedy,
        observations=read,
    )
