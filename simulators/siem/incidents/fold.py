"""Makes incidents of alerts and decisions: a pure function, so that what is shown follows from what is stored alone.

Alerts of whatever rules are of one incident where the same actor is behind them and no more than an hour lies between
two of them. What the actor does after the incident was closed is another incident.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from simulators.siem.incidents.model import GRAVITY, Choice, Incident, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.siem.incidents.model import Decision, Raised

PAUSE = timedelta(hours=1)
"""After which the same actor begins another incident."""
ACTORS = ("user.name", "user.target.name", "source.ip", "source.domain", "dicom.calling_ae", "host.name")
"""Fields that say who is behind an alert; the first that it has."""
MOST_ALERTS = 1000
"""Positions that an incident names; beyond, it counts."""
STATES = {Choice.ACKNOWLEDGE: State.ACKNOWLEDGED, Choice.CLOSE: State.CLOSED, Choice.REOPEN: State.OPEN}


def actor_of(alert: Raised) -> tuple[str, str]:
    """Return who is behind an alert: the person, else the caller, else the host that told it."""
    subject = alert.fields.get("subject") or {}
    return next(((name, str(subject[name])) for name in ACTORS if name in subject), ("host.name", alert.host))


def incidents(alerts: Iterable[Raised], decisions: Iterable[Decision] = ()) -> list[Incident]:
    """Return the incidents that alerts make, the one that was seen last at the end.

    Args:
        alerts: in the order of their positions.
        decisions: in the order in which they were taken.
    """
    waiting = sorted(decisions, key=lambda one: one.at)
    found: dict[int, Incident] = {}
    latest: dict[tuple[str, str], int] = {}
    for alert in alerts:
        while waiting and waiting[0].at <= alert.received:
            _decide(found, waiting.pop(0))
        actor = actor_of(alert)
        current = found.get(latest.get(actor, -1))
        if current is None or current.state is State.CLOSED or alert.received - current.last > PAUSE:
            latest[actor] = alert.position
            found[alert.position] = _begun(alert, actor)
        else:
            found[current.number] = _grown(current, alert)
    for decision in waiting:
        _decide(found, decision)
    return sorted(found.values(), key=lambda one: (one.last, one.number))


def _decide(found: dict[int, Incident], decision: Decision) -> None:
    incident = found.get(decision.incident)
    if incident is not None:
        state = STATES[decision.choice]
        found[incident.number] = replace(incident, state=state, decisions=(*incident.decisions, decision))


def _begun(alert: Raised, actor: tuple[str, str]) -> Incident:
    empty = Incident(alert.position, actor, alert.level, (), (), alert.received, alert.received, 0, ())
    return _grown(empty, alert)


def _grown(incident: Incident, alert: Raised) -> Incident:
    fields = alert.fields
    grave = GRAVITY[alert.level] > GRAVITY[incident.level]
    return replace(
        incident,
        level=alert.level if grave else incident.level,
        titles=_with(incident.titles, fields.get("title") or alert.rule),
        rules=_with(incident.rules, alert.rule),
        last=alert.received,
        count=incident.count + 1 + int(fields.get("repeated") or 0),
        alerts=incident.alerts if len(incident.alerts) >= MOST_ALERTS else (*incident.alerts, alert.position),
        abuse=_with(incident.abuse, *(fields.get("abuse") or ())),
        attack=_with(incident.attack, *(fields.get("attack") or ())),
        control=_with(incident.control, *(fields.get("control") or ())),
        respond=_with(incident.respond, *([fields["respond"]] if fields.get("respond") else [])),
    )


def _with(known: tuple[str, ...], *more: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*known, *map(str, more))))
