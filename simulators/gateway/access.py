"""Decides what a person gets: the one place where roles, treatment and emergencies meet a request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulators.access.decision import no_relation, scope_of
from simulators.access.denied import DeniedError
from simulators.events import reasons

if TYPE_CHECKING:
    from simulators.access.policy import Policy
    from simulators.access.relations import Reach, Relations
    from simulators.access.subject import Subject
    from simulators.gateway.break_glass import Grants
    from simulators.gateway.studies import Study

SEARCH, VIEW, ADD, BREAK_GLASS = "search-studies", "view-images", "add-images", "break-glass"
"""Actions of the policy that are decided here."""
EMERGENCY = "In an emergency, state a reason to see the patient."


@dataclass(frozen=True)
class Access:
    """Who may do what to whom."""

    policy: Policy
    relations: Relations
    grants: Grants

    async def reach(self, subject: Subject, action: str) -> Reach:
        """The patients for whom a person may do something.

        Raises:
            DeniedError: none of the person's roles may do it at all.
        """
        reach = await self.relations.reach(subject, scope_of(self.policy, subject, action))
        if action == ADD or reach.everybody:
            return reach
        emergency = self.grants.patients(subject.person) if self.may_break_glass(subject) else frozenset()
        return replace(reach, patients=reach.patients | emergency, emergency=emergency - reach.patients)

    def may_break_glass(self, subject: Subject) -> bool:
        """Whether a person may see one more patient in an emergency."""
        return self.policy.scope(subject.roles, BREAK_GLASS) is not None

    async def to_study(self, subject: Subject, study: Study) -> Reach:
        """Let somebody view a study.

        Raises:
            DeniedError: the person may not, or nobody can say; that there is no such study is not told apart.
        """
        reach = await self.reach(subject, VIEW)
        if study.patient and reach.has(study.patient):
            return reach
        if study.silent and not study.holders:
            raise DeniedError(
                f"Nobody knows where this study is: {', '.join(study.silent)} does not answer.",
                remedy="Try again in a minute.",
                reason=reasons.ARCHIVE_SILENT,
                status=503,
            )
        raise no_relation(reach, otherwise=EMERGENCY)
