"""Judges a deed twice: its rule notices it in time, with evidence; without the rule the same events raise nothing."""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from lab.abuse.attempt import PartyMissingError
from lab.hospital.detections import Kind
from lab.scenarios.failure import NothingToJudge, StepFailure, require
from lab.scenarios.model import Step
from lab.scenarios.monitoring.facts import detections_of

if TYPE_CHECKING:
    from lab.hospital.detections import Alert, Detections
    from lab.hospital.repository import Found
    from lab.scenarios.monitoring.deed import Attempt, Deed
    from lab.scenarios.monitoring.facts import MonitoringFacts, Scene

LOOK_BACK = 3600
"""Seconds before a deed from which events may show it: longer than any rule counts."""
QUIET, QUIET_OF_COUNTS = 11, 61
"""Seconds after an alert in which its rule is quiet about the same subject, with one to spare (docs/detections.md)."""
ARRIVES_WITHIN = 45.0
"""Seconds in which the events of a deed have to be stored, when no alert tells that they are."""


def step_of(deed: Deed) -> Step[MonitoringFacts]:
    """A deed as a step of the scenario."""
    return Step(
        id=deed.id,
        title=deed.title,
        by=deed.by,
        transaction=deed.transaction,
        expected=f"rule {deed.rule} raises its alert within {deed.within:g} s, with the events that show it; "
        "with the rule switched off the same events raise none",
        act=partial(noticed, deed),
    )


def noticed(deed: Deed, stage: Scene) -> str:
    """Commit a deed with its rule, and once more without it.

    Raises:
        NothingToJudge: the site cannot have it, or does not take in what the rule needs.
        StepFailure: it is not noticed in time, or not by this rule alone.
    """
    detections = detections_of(stage)
    if deed.lines and not detections.takes_lines:
        raise NothingToJudge(
            f"{detections.host} takes in nothing that hosts tell in no audit message (setting siem_lines of role siem)"
        )
    try:
        attempt = deed.ready(stage)
    except PartyMissingError as missing:
        raise NothingToJudge(str(missing)) from missing
    stage.eventually(
        partial(_not_quiet, detections, deed.rule),
        timeout=QUIET_OF_COUNTS + QUIET,
        otherwise=f"rule {deed.rule} raises alerts again and again, before anything was done",
    )
    shown, said = _with_rule(deed, attempt, detections, stage)
    without = _without_rule(deed, attempt, detections, stage, shown)
    return f"{said}; {without}"


def _with_rule(deed: Deed, attempt: Attempt, detections: Detections, stage: Scene) -> tuple[list[Found], str]:
    began = detections.now()
    with attempt.make() as what:
        done = detections.now()
        alert, shown = stage.eventually(
            partial(_alert, detections, deed.rule, began, attempt.about),
            timeout=deed.within,
            otherwise=f"{what}, and rule {deed.rule} raised no alert about {' or '.join(sorted(attempt.about))}",
        )
    _note(stage, alert, shown, detections.host)
    late = (alert.received - done).total_seconds()
    require(late <= deed.within, f"{what}; the alert came {late:.1f} s after that")
    happened = max(_time(event, alert.received) for event in shown)
    since = (alert.received - happened).total_seconds()
    said = (
        f"{what}; {alert.rule} ({alert.level}) {since:.2f} s after the event that shows it, "
        f"{(alert.received - began).total_seconds():.1f} s after the beginning: {alert.summary}"
    )
    return shown, said


def _without_rule(deed: Deed, attempt: Attempt, detections: Detections, stage: Scene, shown: list[Found]) -> str:
    """Commit it again while the rule is out of the judge: what shows it is stored, and raises no alert of the rule."""
    wanted = Counter(Kind.of(event) for event in shown)
    hosts = sorted({str(event.fields.get("host.name", "")) for event in shown})
    with detections.without(deed.rule, f"exercise: {deed.id}"):
        since = detections.now()
        with attempt.make():
            stage.eventually(
                lambda: not wanted - Counter(detections.kinds(hosts, since)),
                timeout=ARRIVES_WITHIN,
                otherwise=f"done again without the rule, and not stored: {', '.join(map(str, wanted))} of {hosts}",
            )
        raised = detections.alerts(since, deed.rule)
    if raised:
        raise StepFailure(f"rule {deed.rule} was switched off, and there is an alert of it: {raised[0].summary}")
    return f"without the rule the same events ({', '.join(map(str, wanted))}) raised none"


def _not_quiet(detections: Detections, rule: str) -> bool:
    """Whether no alert of a rule is so young that the rule may be quiet about the same subject."""
    now = detections.now()
    return not any(
        (now - alert.received).total_seconds() < (QUIET_OF_COUNTS if alert.fields.get("facts") else QUIET)
        for alert in detections.alerts(_before(now, QUIET_OF_COUNTS), rule)
    )


def _alert(
    detections: Detections, rule: str, since: datetime, about: frozenset[str]
) -> tuple[Alert, list[Found]] | None:
    """The first alert of a rule since a time that is about somebody, with the events that show it."""
    for alert in detections.alerts(since, rule):
        shown = detections.evidence(alert, _before(since, LOOK_BACK))
        told = {str(value) for value in dict(alert.fields.get("subject", {})).values()}
        told |= {str(value) for event in shown for value in event.fields.values()}
        if shown and not about.isdisjoint(told):
            return alert, shown
    return None


def _note(stage: Scene, alert: Alert, shown: list[Found], host: str) -> None:
    """Keep the alert and its evidence with the result."""
    trail = stage.hospital.trail
    trail.note(alert.model_dump_json(), f"alert {alert.position} of the repository at {host}", time.time())
    for event in shown[:3]:
        trail.note(json.dumps(event.fields), f"record {event.position} of the repository at {host}", time.time())


def _before(when: datetime, seconds: float) -> datetime:
    return when - timedelta(seconds=seconds)


def _time(event: Found, otherwise: datetime) -> datetime:
    """When an event happened, as its host says; no later than the alert."""
    said = event.fields.get("@timestamp")
    return min(datetime.fromisoformat(str(said)), otherwise) if said else otherwise
