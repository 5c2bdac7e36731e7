"""Decides what a person gets: the one place where roles, treatment and emergencies meet a request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.gateway.denied import DeniedError

if TYPE_CHECKING:
    from simulators.gateway.break_glass import Grants
    from simulators.gateway.policy import Policy
    from simulators.gateway.relations import Reach, Relations
    from simulators.gateway.studies import Study
    from simulators.gateway.subject import Subject

SEARCH, VIEW, ADD, BREAK_GLASS = "search-studies", "view-images", "add-images", "break-glass"
"""Actions of the policy that are decided here."""


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
        scope = self.policy.scope(subject.roles, action)
        if scope is None:
            raise DeniedError(
                "Your role may not do this.",
                remedy="Ask whoever gives out roles, if it should.",
                reason=reasons.ROLE,
            )
        reach = await self.relations.reach(subject, scope)
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
        raise self.no_relation(reach)

    @staticmethod
    def no_relation(reach: Reach) -> DeniedError:
        """Say that a patient is not the person's, or that those who would know do not answer."""
        if reach.silent:
            return DeniedError(
                f"Whether you treat this patient cannot be said: {', '.join(reach.silent)} does not answer.",
                remedy="Try again in a minute. In an emergency, state a reason to see the patient.",
                reason=reasons.RELATION_UNKNOWN,
                status=503,
            )
        return DeniedError(
            "You have no treatment relationship with this patient.",
            remedy="An order or an admission makes one. In an emergency, state a reason to see the patient.",
            reason=reasons.NO_RELATION,
        )
