"""What an abuse case reports: it came out otherwise than it should, or it could not be tried."""

from __future__ import annotations

from lab.errors import PacslabError


class NotAsPromised(Exception):  # noqa: N818 - it is an observation, not an error of the program
    """Something was observed that must not be; the text says what."""


class AttemptError(PacslabError):
    """An attempt was not made, so that nothing can be said of it."""

    exit_code = 1


class WeakeningError(PacslabError):
    """A control could not be switched off or on again, so that what follows would prove nothing."""

    exit_code = 1


class RestoreError(WeakeningError):
    """A control could not be switched on again: the host is no longer as it ships."""


def require(condition: object, observed: str) -> None:
    """Report what was observed unless the condition holds.

    Raises:
        NotAsPromised: it does not hold.
    """
    if not condition:
        raise NotAsPromised(observed)
