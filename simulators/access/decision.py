"""What follows from role, action and treatment: the one place that says no, for the gateway and for commands alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.events import reasons

if TYPE_CHECKING:
    from simulators.access.policy import Policy, Scope
    from simulators.access.relations import Reach
    from simulators.access.subject import Subject


def scope_of(policy: Policy, subject: Subject, action: str) -> Scope:
    """The patients for whom a person may do something, in the policy's words.

    Raises:
        DeniedError: none of the person's roles may do it at all.
    """
    scope = policy.scope(subject.roles, action)
    if scope is None:
        raise DeniedError(
            "Your role may not do this.",
            remedy="Ask whoever gives out roles, if it should.",
            reason=reasons.ROLE,
        )
    return scope


def no_relation(reach: Reach, *, otherwise: str = "") -> DeniedError:
    """Say that a patient is not the person's, or that those who would know do not answer.

    Args:
        reach: whom the person may see, as far as it is known.
        otherwise: what else the person can do, as a sentence.
    """
    if reach.silent:
        return DeniedError(
            f"Whether you treat this patient cannot be said: {', '.join(reach.silent)} does not answer.",
            remedy=f"Try again in a minute. {otherwise}".rstrip(),
            reason=reasons.RELATION_UNKNOWN,
            status=503,
        )
    return DeniedError(
        "You have no treatment relationship with this patient.",
        remedy=f"An order or an admission makes one. {otherwise}".rstrip(),
        reason=reasons.NO_RELATION,
    )
