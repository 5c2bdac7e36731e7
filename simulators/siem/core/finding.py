"""What judges events as they come, as far as the repository knows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.siem.fields import Fields


@dataclass(frozen=True)
class Finding:
    """An alert as it is stored.

    Attributes:
        rule: id of the rule, without blanks.
        level: ``informational``, ``low``, ``medium``, ``high`` or ``critical``, as Sigma has them.
        fields: what it says.
    """

    rule: str
    level: str
    fields: Mapping[str, Any] = field(default_factory=dict)


class Judge(Protocol):
    """Looks at each event once, in their order."""

    def judge(self, event: Fields, position: int) -> Sequence[Finding]:
        """Return what is wrong with an event, in the light of those before it; `position` is its record's."""


class NoRules:
    """Finds nothing wrong, where there are no rules."""

    def judge(self, event: Fields, position: int) -> Sequence[Finding]:
        """Return nothing."""
        del event, position
        return ()
