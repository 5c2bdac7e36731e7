"""How a step says that it did not observe what it expects."""

from __future__ import annotations


class StepFailure(Exception):  # noqa: N818 - it is what a step reports, not an error of the program
    """A step observed something other than what it expects; the text says what was observed."""


class NothingToJudge(Exception):  # noqa: N818 - likewise
    """There is nothing on this site that the step could judge; the text says why."""


def require(condition: object, observed: str) -> None:
    """Fail the step with what was observed unless the condition holds.

    Raises:
        StepFailure: it does not hold.
    """
    if not condition:
        raise StepFailure(observed)
