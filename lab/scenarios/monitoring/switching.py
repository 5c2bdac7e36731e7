"""Whoever switches a rule off is on record for it, and raises an alert: no exercise is a way to be unseen."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from lab.hospital.hospital import Actor
from lab.scenarios.failure import require
from lab.scenarios.model import Step
from lab.scenarios.monitoring.facts import detections_of

if TYPE_CHECKING:
    from datetime import datetime

    from lab.hospital.detections import Detections
    from lab.scenarios.monitoring.facts import Scene

RULE, ALERT = "hl7-repeated", "rule-switched-off"
ACTION = "switch-rule"
WITHIN = 10.0
OTHERS = "nobody"
"""An account of every host that may do nothing."""


def switching(stage: Scene) -> str:
    """A rule is switched off and on: both are on record, the first is an alert; another account is refused."""
    detections = detections_of(stage)
    stage.acts(detections.host)
    began = detections.now()
    refused = stage.hospital.run(
        detections.host, ["pacslab-siem", "switch-off", RULE, "--reason", "an attempt"], user=OTHERS
    )
    require(refused.code != 0, f"account {OTHERS} could switch {RULE} off")
    with detections.without(RULE, f"exercise {stage.token}"):
        alert = stage.eventually(
            partial(_alert, detections, began),
            timeout=WITHIN,
            otherwise=f"rule {RULE} was switched off, and nothing alerts of that",
        )
    states = stage.eventually(
        partial(_states, detections, began), timeout=WITHIN, otherwise="switching it on again is not on record"
    )
    require(states == ["off", "on"], f"the record has it as {states}")
    return f"account {OTHERS} was refused; off and on are on record, and the first raised: {alert}"


def _alert(detections: Detections, since: datetime) -> str:
    return next((alert.summary for alert in detections.alerts(since, ALERT) if RULE in alert.summary), "")


def _states(detections: Detections, since: datetime) -> list[str]:
    """What the record has of the rule's switching; nothing while it is not on again."""
    events = [event.fields for event in detections.repository.show(since.isoformat(), host=detections.host)]
    states = [
        str(fields.get("pacslab.state"))
        for fields in events
        if fields.get("event.action") == ACTION and fields.get("rule.name") == RULE
    ]
    return states if states[-1:] == ["on"] else []


STEPS: tuple[Step[Any], ...] = (
    Step(
        "switching",
        "A rule is switched off for a moment",
        Actor("order-placer"),
        "",
        "root alone can; off and on are records of the repository, and the first raises an alert",
        switching,
    ),
)
