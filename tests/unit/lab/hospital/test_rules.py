"""Rules find their own examples in a repository at work, as `pacslab verify detections` sends them to each."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from lab.hospital.detections import Alert
from lab.hospital.programs import program
from lab.hospital.rules import Sent, rule_names
from lab.results.model import Outcome
from lab.settings import ROOT
from lab.verify.checks import detections
from simulators.siem.sigma.read import load
from tests.unit.simulators.siem.repository import own_database, running_services

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.simulators.siem.repository import Services

SOME = ("dicom-title-of-another", "sign-ons-failed", "rule-switched-off", "clock-ahead", "packet-filter-stopped")


@pytest.fixture
def services(server: str) -> Iterator[Services]:
    with own_database(server, "siem") as target, running_services(target, "rules") as services:
        yield services


def results(services: Services, *rules: str) -> dict[str, Any]:
    """Run the program against the services, and judge what it says as the check does."""
    argv = [sys.executable, "-", str(ROOT), str(services.core_path)]
    argv += [str(services.folder / "switches"), str(services.folder / "run"), *rules]
    done = subprocess.run(argv, input=program("send_examples.py"), capture_output=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    sent = [Sent(**{**json.loads(line), "with_": json.loads(line)["with"]}) for line in done.stdout.splitlines()]
    rows = services.rows('SELECT position, received, host, rule, level, "of", fields FROM siem.alerts')
    names = ("position", "received", "host", "rule", "level", "of", "fields")
    raised = [Alert(**dict(zip(names, row, strict=True))) for row in rows]
    return {
        entry.rule: detections.judge_rule(entry, [one for one in raised if one.rule == entry.rule], "siem1")
        for entry in sent
    }


def test_rules_find_their_examples_with_the_rule_alone(services: Services) -> None:
    found = results(services, *SOME)
    assert {rule: result.outcome for rule, result in found.items()} == dict.fromkeys(SOME, Outcome.PASSED), found


def test_there_is_a_promise_for_every_rule_that_raises_alerts() -> None:
    raising = {found.head.file.removesuffix(".yml") for found in load() if found.head.ours.match}
    assert raising == set(rule_names()) == set(detections.PROMISES)


def alert(at: float) -> Alert:
    when = datetime.fromtimestamp(at, tz=UTC)
    return Alert(position=1, received=when, host="ct1", rule="hl7-repeated", level="high", of=1, fields={})


GOOD = Sent(rule="hl7-repeated", without=((1, 2),), other=((3, 4),), with_=((5, 6), (7, 8)))


@pytest.mark.parametrize(
    ("times", "observed"),
    [
        ([5.5, 7.5], "2 found, 1 left alone, 1 not found without it"),
        ([5.5], "no alert for example 2"),
        ([5.5, 7.5, 3.5], "an alert for a counter-example"),
        ([5.5, 7.5, 1.5], "an alert while it was switched off"),
    ],
)
def test_what_came_of_examples_is_judged_by_when(times: list[float], observed: str) -> None:
    result = detections.judge_rule(GOOD, [alert(at) for at in times], "siem1")
    assert observed in result.observed
    assert (result.outcome is Outcome.PASSED) is observed.startswith("2 found")
