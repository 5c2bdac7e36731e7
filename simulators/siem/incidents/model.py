"""What incidents consist of: alerts as they are stored, decisions of people, and the incident that both make."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from simulators.siem.sigma.model import Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

GRAVITY = {level: number for number, level in enumerate(Level)}
"""Levels in their order."""


class State(StrEnum):
    """How far an incident has come."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Choice(StrEnum):
    """What a person can decide."""

    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"
    REOPEN = "reopen"


@dataclass(frozen=True)
class Raised:
    """An alert as it is stored.

    Attributes:
        position: of its record.
        received: when it was stored.
        host: whose event raised it.
        rule: name of the rule.
        level: how grave it is.
        fields: what :meth:`simulators.siem.judge.alert.Alert.as_dict` says.
    """

    position: int
    received: datetime
    host: str
    rule: str
    level: Level
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Decision:
    """What a person decided about an incident.

    Attributes:
        incident: its number.
        choice: what was decided.
        person: who, by the name at sign-on.
        note: why.
        at: when.
    """

    incident: int
    choice: Choice
    person: str
    note: str
    at: datetime


@dataclass(frozen=True)
class Incident:
    """What one actor did in one stretch of time.

    Attributes:
        number: position of its first alert, by which people call it.
        actor: field and value that its alerts have in common.
        level: of its gravest alert.
        titles: what happened, each once and in order.
        rules: the rules that raised alerts.
        first: when it began.
        last: when its latest alert came.
        count: how often something was seen, also what was not told each time.
        alerts: positions of its alerts.
        abuse: abuses that its rules answer.
        attack: techniques of MITRE ATT&CK.
        control: rows of the control map.
        respond: what to do, each once and in order.
        state: how far it has come.
        decisions: what people decided, in order.
    """

    number: int
    actor: tuple[str, str]
    level: Level
    titles: tuple[str, ...]
    rules: tuple[str, ...]
    first: datetime
    last: datetime
    count: int
    alerts: tuple[int, ...]
    abuse: tuple[str, ...] = ()
    attack: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    respond: tuple[str, ...] = ()
    state: State = State.OPEN
    decisions: tuple[Decision, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        told = asdict(self) | {"actor": {"field": self.actor[0], "value": self.actor[1]}}
        told |= {"first": self.first.isoformat(), "last": self.last.isoformat()}
        told["decisions"] = [asdict(one) | {"at": one.at.isoformat()} for one in self.decisions]
        return told
