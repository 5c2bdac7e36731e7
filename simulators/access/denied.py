"""A request that is answered with no, or cannot be answered: what the person is told, and what goes on record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.errors import RefusedError

if TYPE_CHECKING:
    from simulators.events.vocabulary import Reason


class DeniedError(RefusedError):
    """The answer is an HTTP status of its own, with the reason in a word."""

    def __init__(self, message: str, *, remedy: str, reason: Reason, status: int = 403) -> None:
        """Say what happened, what to do next, why, and with which status (RFC 9110 15.5, 15.6)."""
        super().__init__(message, remedy=remedy)
        self.reason = reason
        self.status = status

    def as_dict(self) -> dict[str, object]:
        """Return the answer's body."""
        return {**super().as_dict(), "reason": self.reason.word}
