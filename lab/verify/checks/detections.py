"""Every rule of the repository raises its alert for its own examples, not for its counter-examples, not when it is off.

The examples are sent on the repository's host, to the core itself, as what hands over the collector's lines does; so
they become records. It is done on a clone, which is removed at the end.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lab.events import Bus, StageStarted
from lab.hospital.detections import Detections
from lab.hospital.repository import repository_of
from lab.hospital.rules import rule_names, send_examples
from lab.operate.trial import trial_lab
from lab.results.model import Observation, Outcome, Promise, judged
from lab.settings import load_settings
from lab.verify.check import Check

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lab.engine.lab import Lab
    from lab.events import Event
    from lab.hospital.detections import Alert
    from lab.hospital.rules import Sent, Span
    from lab.results.model import Result
    from lab.verify.check import Context

PURPOSE = "detections"
"""The clone is called ``<lab>-detections``."""
AT_ONCE = 10
"""Rules between two words of how far it is."""
EXPECTED = "an alert for each of its examples, none for a counter-example, and none while it is switched off"
REMEDY = "Look at the rule's file in simulators/siem/rules/, and at its examples there (docs/detections.md)."


def promise(rule: str) -> Promise:
    """What is promised of a rule."""
    return Promise(
        f"detections.{rule}",
        f"Rule {rule} raises its alert for what it must find, not for what it must not, and not while it is off.",
    )


PROMISES = {rule: promise(rule) for rule in rule_names()}


def check_detections(context: Context) -> Iterator[Result]:
    """Send every rule its examples, on a clone, which is removed at the end.

    Raises:
        UsageError: there is no such snapshot.
        EngineError: the clone could not be made.
        UnhealthyError: it did not become healthy.
        CommandFailedError: the examples were not stored.
    """
    host = repository_of(context.lab.site)
    wanted = [rule for rule, promised in PROMISES.items() if context.wants(promised)]
    if host is None or not wanted or not context.wants_host(host):
        return
    bus = Bus()

    def tell(event: Event) -> None:
        if isinstance(event, StageStarted):
            context.say(f"clone: {event.stage} {event.detail}".rstrip())

    bus.subscribe(tell)
    with trial_lab(load_settings(), context.lab, PURPOSE, bus, context.snapshot) as clone:
        for first in range(0, len(wanted), AT_ONCE):
            yield from judge_rules(clone, wanted[first : first + AT_ONCE])
            context.say(f"{min(first + AT_ONCE, len(wanted))} of {len(wanted)} rules")


def judge_rules(lab: Lab, rules: list[str]) -> Iterator[Result]:
    """Send rules their examples on a lab whose records may have them, and judge what came of each."""
    detections = Detections(lab)
    began = detections.now()
    sent = send_examples(lab, rules)
    raised = detections.alerts(began)
    for entry in sent:
        yield judge_rule(entry, [alert for alert in raised if alert.rule == entry.rule], detections.host)


def judge_rule(sent: Sent, raised: list[Alert], host: str) -> Result:
    """Judge what came of a rule's examples: by its alerts, which were stored while they were sent, or not."""
    wrong = []
    if silent := [number for number, span in enumerate(sent.with_, 1) if not _within(raised, [span])]:
        wrong.append(f"no alert for example {', '.join(map(str, silent))}")
    if false := _within(raised, sent.other):
        wrong.append(f"an alert for a counter-example: {false[0].summary}")
    if still := _within(raised, sent.without):
        wrong.append(f"an alert while it was switched off: {still[0].summary}")
    good = f"{len(sent.with_)} found, {len(sent.other)} left alone, {len(sent.without)} not found without it"
    return judged(
        PROMISES[sent.rule],
        host,
        Outcome.FAILED if wrong or not sent.with_ else Outcome.PASSED,
        expected=EXPECTED,
        observed="; ".join(wrong) or good,
        observations=tuple(
            Observation(alert.model_dump_json(), f"alert {alert.position} of the repository at {host}", time.time())
            for alert in raised[:3]
        ),
        remedy=REMEDY,
    )


def _within(raised: list[Alert], spans: Iterable[Span]) -> list[Alert]:
    """The alerts that were stored while examples were sent."""
    return [alert for alert in raised if any(began <= alert.received.timestamp() <= ended for began, ended in spans)]


CHECK = Check(
    name="detections",
    summary="every rule of the repository, on a clone: its examples with and without it, and its counter-examples",
    promises=tuple(PROMISES.values()),
    judge=check_detections,
    changes_lab=True,
    proves_itself=True,
)
