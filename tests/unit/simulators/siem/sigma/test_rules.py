"""Every rule of the product keeps what it promises: it raises its alert, no other event does, and it says why."""

from __future__ import annotations

from typing import Any

import pytest

from lab.abuse.registry import cases
from lab.settings import ROOT
from simulators.events.actions import ACTIONS
from simulators.events.keys import FIXED
from simulators.events.reasons import REASONS
from simulators.siem.abuses import ABUSES
from simulators.siem.fields import unknown
from simulators.siem.judge.judge import Judge
from simulators.siem.sigma.examples import events_of, lines_of
from simulators.siem.sigma.model import Correlation, Level, Rule
from simulators.siem.sigma.read import RULES, load

DETECTIONS = load()
RAISING = [
    detection
    for detection in DETECTIONS
    if detection.head.level is not Level.INFORMATIONAL or isinstance(detection, Correlation)
]
UNSEEN_CASES = {
    "abuse.ssh-forwarding": "sshd tells of a channel that it refuses at a level that hosts do not log",
    "abuse.viewer-forged-headers": "what the web server removes leaves no line: nothing was asked for as another",
}
"""Abuse cases of the lab that no rule can see, with why."""
UNANSWERED: dict[str, str] = {}
"""Abuses that no rule answers yet, with why."""


def _name(detection: Any) -> str:
    return str(detection.head.file.removesuffix(".yml"))


def alerts_of(example: Any, *, off: str = "") -> list[str]:
    judge = Judge([detection for detection in DETECTIONS if detection.head.id != off])
    alerts = [alert for number, fields in enumerate(events_of(example)) for alert in judge.judge(number, fields)]
    return [alert.rule for alert in alerts]


@pytest.mark.parametrize("detection", RAISING, ids=_name)
def test_its_examples_raise_its_alert(detection: Any) -> None:
    assert detection.head.ours.match
    for example in detection.head.ours.match:
        assert detection.head.id in alerts_of(example)


@pytest.mark.parametrize("detection", RAISING, ids=_name)
def test_switched_off_it_raises_none(detection: Any) -> None:
    for example in detection.head.ours.match:
        assert detection.head.id not in alerts_of(example, off=detection.head.id)


@pytest.mark.parametrize("detection", RAISING, ids=_name)
def test_what_is_no_abuse_raises_no_alert_of_it(detection: Any) -> None:
    assert detection.head.ours.pass_
    for example in detection.head.ours.pass_:
        assert list(events_of(example))
        assert detection.head.id not in alerts_of(example)


@pytest.mark.parametrize("detection", RAISING, ids=_name)
def test_it_says_what_it_is_for(detection: Any) -> None:
    head = detection.head
    assert head.attack
    assert head.description
    assert head.false_positives
    assert head.ours.respond
    assert head.ours.abuse
    assert set(head.ours.abuse) <= ABUSES.keys()
    assert set(head.ours.cases) <= cases().keys()
    assert set(head.ours.control) <= {path.stem for path in (ROOT / "controls" / "rows").glob("*.yml")}
    assert head.ours.control


@pytest.mark.parametrize("detection", RAISING, ids=_name)
def test_its_examples_are_events_that_programs_write(detection: Any) -> None:
    for example in (*detection.head.ours.match, *detection.head.ours.pass_):
        for line in lines_of(example):
            if "data" in line and "event_type" not in line["data"]:
                action = ACTIONS[line["data"]["action"]]
                assert line["program"] in action.programs
                assert line["data"].keys() <= FIXED.keys() | set(action.facts)
                if "reason" in line["data"]:
                    assert REASONS[line["data"]["reason"]].outcome.value == line["data"]["outcome"]
        for fields in events_of(example):
            assert unknown(fields) == []
            assert fields["event.dataset"] != "system.line" or fields["event.provider"] in {
                "chronyd",
                "Orthanc",
                "systemd",
            }


def test_one_file_is_one_detection() -> None:
    files = [detection.head.file for detection in RAISING]
    assert sorted(files) == sorted(path.name for path in RULES.glob("*.yml"))


def test_what_is_told_twice_is_not_counted_twice() -> None:
    for detection in DETECTIONS:
        if isinstance(detection, Correlation) and detection.counting == "event_count":
            assert "event.dataset" in detection.group_by, detection.head.file


def test_every_abuse_has_a_rule() -> None:
    answered = {abuse for detection in RAISING for abuse in detection.head.ours.abuse}
    assert ABUSES.keys() - answered == UNANSWERED.keys()


def test_every_abuse_case_of_the_lab_has_a_rule() -> None:
    provoked = {case for detection in RAISING for case in detection.head.ours.cases}
    assert cases().keys() - provoked == UNSEEN_CASES.keys()


def test_counted_rules_raise_no_alert_of_their_own() -> None:
    silent = [detection for detection in DETECTIONS if detection not in RAISING]
    counted = {rule for detection in RAISING if isinstance(detection, Correlation) for rule in detection.rules}
    assert {detection.head.id for detection in silent} <= counted
    assert all(isinstance(detection, Rule) for detection in silent)
