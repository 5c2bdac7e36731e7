"""What judges events as they come, as far as the repository knows of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.siem.fields import Fields
    from simulators.siem.judge.alert import Alert


@dataclass(frozen=True)
class Finding:
    """An alert as it is stored.

    Attributes:
        rule: name of the rule, without blanks.
        level: ``informational``, ``low``, ``medium``, ``high`` or ``critical``, as Sigma has them.
        fields: what it says.
    """

    rule: str
    level: str
    fields: Mapping[str, Any] = field(default_factory=dict)


class Judge(Protocol):
    """Looks at each event once, in their order; :class:`simulators.siem.judge.judge.Judge` is one."""

    def judge(self, event: int, fields: Fields) -> Sequence[Alert]:
        """Return what is wrong with the event of a position, in the light of those before it."""

    def tick(self, now: float) -> Sequence[Alert]:
        """Return what has not happened until now, seconds since 1970."""


class NoRules:
    """Finds nothing wrong, where there are no rules."""

    def judge(self, event: int, fields: Fields) -> Sequence[Alert]:
        """Return nothing."""
        del event, fields
        return ()

    def tick(self, now: float) -> Sequence[Alert]:
        """Return nothing."""
        del now
        return ()


def finding(alert: Alert) -> Finding:
    """Return an alert as it is stored."""
    return Finding(alert.file, alert.level.value, alert.as_dict())
