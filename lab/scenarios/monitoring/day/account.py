"""What the day has left in the repository: every action under its accession number, and no alert."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from lab.deadline import Deadline
from lab.hospital.hospital import Actor
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.model import Step
from lab.scenarios.monitoring.facts import Done, detections_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lab.hospital.detections import Detections
    from lab.hospital.repository import Found
    from lab.scenarios.monitoring.facts import Scene

KEPT_WITHIN = 60.0
"""Seconds in which the last action of a day has to be in the repository; what archives forward takes a while."""
POLL = 1.0
SUCCESS = "success"


def found(stage: Scene) -> str:
    """Every action of every examination is in the repository, with its host and the person, under its numbers.

    Who looks at images names the study and no accession number (PS3.15 A.5.3.6), and an order has none yet when it is
    placed: these are found by the study, and by the patient, who comes for this examination alone.
    """
    detections = detections_of(stage)
    stage.acts(detections.host)
    if not stage.facts.about:
        raise NothingToJudge("nothing was examined")
    hosts: set[str] = set()
    for examined in stage.facts.examinations:
        done = examined.done
        wanted = stage.facts.about[done.accession]
        numbers = ({"accession": done.accession}, {"study": done.study}, {"patient": done.patient})
        look = partial(_missing, detections, *numbers, wanted=wanted)
        missing = _await(look)
        require(not missing, f"{detections.host} does not have of {done.accession}: {_said(missing)}")
        hosts |= {entry.host for entry in wanted}
    count = sum(map(len, stage.facts.about.values()))
    return f"{count} actions of {len(stage.facts.about)} examinations, of {len(hosts)} systems, each with its person"


def signed_in(stage: Scene) -> str:
    """Everybody who signed in is on record with that, by name."""
    detections = detections_of(stage)
    stage.acts(detections.host)
    people = {done.person for done in stage.facts.signed_in}
    if not people:
        raise NothingToJudge("nobody signed in")
    since = stage.facts.began.isoformat()
    for person in sorted(people):
        wanted = {done for done in stage.facts.signed_in if done.person == person}
        look = partial(_missing, detections, {"person": person}, wanted=wanted, since=since)
        missing = _await(look)
        require(not missing, f"{detections.host} does not have: {_said(missing)}")
    return f"{len(stage.facts.signed_in)} sign-ins of {len(people)} people"


def no_alert(stage: Scene) -> str:
    """No rule has found anything in a normal day."""
    detections = detections_of(stage)
    stage.acts(detections.host)
    raised = detections.alerts(stage.facts.began)
    for alert in raised[:10]:
        stage.hospital.trail.note(alert.model_dump_json(), f"alert {alert.position} at {detections.host}", time.time())
    said = "; ".join(dict.fromkeys(f"{alert.rule} ({alert.summary})" for alert in raised))
    require(not raised, f"{len(raised)} alerts since the day began: {said}")
    return f"no alert since {stage.facts.began:%H:%M:%S} UTC"


def whole(stage: Scene) -> str:
    """The repository proves that what it has is what it had stored, and misses no message of a sender."""
    detections = detections_of(stage)
    stage.acts(detections.host)
    proof = detections.repository.verify()
    require(proof.fault is None, f"{detections.host}: {proof.fault.says if proof.fault else ''}")
    missing = {str(entry["host"]): entry["missing"] for entry in detections.repository.lines("senders")}
    gaps = {host: gap for host, gap in missing.items() if gap}
    require(not gaps, f"{detections.host} misses messages: {json.dumps(gaps)}")
    return f"{proof.records} records in {proof.batches} batches are as they were stored; no message is missing"


def _missing(
    detections: Detections, *numbers: dict[str, str], wanted: Iterable[Done], since: str | None = None
) -> set[Done]:
    """What is not found by any of these numbers."""
    had = [event for number in numbers for event in detections.repository.show(since, None, **number)]
    return {done for done in wanted if not any(_is(done, event) for event in had)}


def _await(look: Callable[[], set[Done]]) -> set[Done]:
    """What is missing once it had time to arrive; nothing as soon as nothing is."""
    deadline = Deadline(KEPT_WITHIN)
    while (missing := look()) and not deadline.over:
        deadline.pause(POLL)
    return missing


def _is(done: Done, event: Found) -> bool:
    fields: dict[str, Any] = event.fields
    told = (fields.get("host.name"), fields.get("event.action"), fields.get("event.outcome"))
    return told == (done.host, done.action, SUCCESS) and done.person in {"", fields.get("user.name")}


def _said(missing: Iterable[Done]) -> str:
    return ", ".join(sorted(map(str, missing))) or "nothing any more"


REPOSITORY = Actor("order-placer")
STEPS: tuple[Step[Any], ...] = (
    Step(
        "found", "What was done is looked up in the repository", REPOSITORY, "ITI-20, ITI-81",
        "every action of each system, by accession number, study or patient, with the person", found, ("ct",),
    ),
    Step(
        "signed-in", "Who signed in is looked up in the repository", REPOSITORY, "ITI-20",
        "every sign-in, by the person's name", signed_in, ("begin",),
    ),
    Step(
        "no-alert", "The alerts of the day are counted", REPOSITORY, "", "none", no_alert, ("found",),
    ),
    Step(
        "whole", "The repository proves its records", REPOSITORY, "ITI-20",
        "every record is as it was stored, and no message of a host is missing", whole, ("begin",),
    ),
)  # fmt: skip
