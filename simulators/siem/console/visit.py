"""A request to the console, and who makes it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from simulators.access import subject
from simulators.access.denied import DeniedError
from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.siem.console.clearance import Clearance

if TYPE_CHECKING:
    from starlette.requests import Request

    from simulators.access.policy import Policy
    from simulators.access.subject import Subject

LONGEST = 200
"""Characters of what is searched."""


@dataclass(frozen=True)
class Visit:
    """A request by somebody who may see something.

    Attributes:
        request: what is asked.
        subject: who asks.
        clearance: what the person may see.
    """

    request: Request
    subject: Subject
    clearance: Clearance

    @classmethod
    def of(cls, request: Request, policy: Policy) -> Visit:
        """Read who asks.

        Raises:
            DeniedError: nobody is signed in, or somebody for whom there is no page here.
        """
        who = subject.read(request.headers)
        clearance = Clearance.of(policy, who.roles)
        if not clearance.anything:
            raise DeniedError(
                "Your role has nothing to see here.",
                remedy="Ask whoever gives out roles, if it should.",
                reason=reasons.ROLE,
            )
        return cls(request, who, clearance)

    def asked(self, name: str) -> str:
        """Return a parameter of the address, without blanks around it; empty where it is not there.

        Raises:
            ArgumentError: it is too long.
        """
        value = self.request.query_params.get(name, "").strip()
        if len(value) > LONGEST or "\0" in value:
            raise ArgumentError(f"{name} cannot be searched.", remedy=f"Search for {LONGEST} characters at most.")
        return value

    def time(self, name: str) -> datetime | None:
        """Return a parameter that is a time in UTC.

        Raises:
            ArgumentError: it is none.
        """
        text = self.asked(name)
        if not text:
            return None
        try:
            when = datetime.fromisoformat(text)
            return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
        except (ValueError, OverflowError) as error:
            raise ArgumentError(f"{text} is no time.", remedy="Write it as 2026-01-05T09:12.") from error
