"""What a person may see and do at the console, as the site's policy says (AC-3, AC-6); nothing else is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.access.policy import Scope
from simulators.events import reasons

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.access.policy import Policy

COLLECTION, EVENTS, PATIENTS, HANDLE = "see-collection", "read-events", "read-audit", "handle-incidents"
"""Actions of ``lab/access/policy.yml``."""


@dataclass(frozen=True)
class Clearance:
    """What somebody may see and do.

    Attributes:
        collection: how records arrive, how many, and which hosts are in alert; no record.
        events: events, alerts and incidents, without what tells of a patient.
        patients: what tells of patients too.
        handles: acknowledge and close incidents.
    """

    collection: bool = False
    events: bool = False
    patients: bool = False
    handles: bool = False

    @classmethod
    def of(cls, policy: Policy, roles: Iterable[str]) -> Clearance:
        """Return what people of these roles may: patients' data by the widest scope alone."""
        held = tuple(roles)
        events = policy.scope(held, EVENTS) is not None
        return cls(
            collection=policy.scope(held, COLLECTION) is not None,
            events=events,
            patients=events and policy.scope(held, PATIENTS) is Scope.ALL,
            handles=events and policy.scope(held, HANDLE) is not None,
        )

    @property
    def anything(self) -> bool:
        """Whether there is a page for this person at all."""
        return self.collection or self.events

    def needs(self, *what: str) -> None:
        """Refuse whoever lacks one of these.

        Raises:
            DeniedError: the person's roles do not allow it.
        """
        for name in what:
            if not getattr(self, name):
                raise DeniedError(
                    f"Your role may not {_TOLD[name]}.",
                    remedy="Ask whoever gives out roles, if it should.",
                    reason=reasons.ROLE,
                )


_TOLD = {
    "collection": "see how records arrive",
    "events": "read events and alerts",
    "patients": "read what tells of patients",
    "handles": "acknowledge and close incidents",
}
NOTHING = Clearance()
