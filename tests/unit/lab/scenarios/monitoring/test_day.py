"""The day counts as on record when each action is found with its host and person, and as quiet without any alert."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.hospital.detections import Alert
from lab.hospital.repository import Found
from lab.hospital.trail import Trail
from lab.scenarios.failure import NothingToJudge, StepFailure
from lab.scenarios.monitoring.day import account, people
from lab.scenarios.monitoring.facts import Done, Examined, MonitoringFacts
from lab.scenarios.stage import Stage
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")
EXAMINATION = SimpleNamespace(accession="A1", study="1.2", patient="P1")
BEGAN = datetime(2026, 1, 5, 9, tzinfo=UTC)


class Repository:
    """What is stored: each event by the number that it is found by."""

    def __init__(self, *events: tuple[str, Done], **rest: Any) -> None:
        """Keep events."""
        self.events, self.rest = events, rest

    def show(self, since: str | None = None, limit: int | None = None, **wanted: str) -> list[Found]:
        """Events that have a number."""
        assert limit is None
        ((_, value),) = wanted.items()
        return [
            Found(position=1, received="", fields={
                "host.name": done.host, "event.action": done.action, "user.name": done.person,
                "event.outcome": self.rest.get("outcome", "success"), "since": since or "",
            })
            for number, done in self.events if number == value
        ]  # fmt: skip

    def lines(self, verb: str) -> list[dict[str, Any]]:
        """How senders stand."""
        assert verb == "senders"
        return [{"host": "ct1", "missing": self.rest.get("missing", [])}]

    def verify(self) -> Any:
        """What the proof says."""
        return SimpleNamespace(fault=self.rest.get("fault"), records=7, batches=2)


def stage_of(monkeypatch: pytest.MonkeyPatch, repository: Repository, *alerts: Alert) -> Any:
    monkeypatch.setattr(account, "KEPT_WITHIN", 0.0)
    detections = SimpleNamespace(repository=repository, host="siem1", alerts=lambda _: list(alerts))
    monkeypatch.setattr(account, "detections_of", lambda _: detections)
    stage = Stage(cast("Any", SimpleNamespace(trail=Trail())), MonitoringFacts())
    stage.facts.began = BEGAN
    return stage


ORDERED, ACQUIRED = Done("ehr1", "order", "n.okafor"), Done("ct1", "acquire")


def examined(stage: Any) -> None:
    stage.facts.examinations.append(Examined(cast("Any", EXAMINATION), "n.okafor", "Radiology"))
    stage.facts.about["A1"] = {ORDERED, ACQUIRED}


def test_what_is_found_by_one_of_its_numbers_is_on_record(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of(monkeypatch, Repository(("P1", ORDERED), ("A1", ACQUIRED)))
    examined(stage)
    assert account.found(stage).startswith("2 actions of 1 examinations, of 2 systems")


@pytest.mark.parametrize(
    ("events", "missing"),
    [
        ([("P1", ORDERED)], "acquire at ct1"),
        ([("P1", Done("ehr1", "order", "d.weiss")), ("A1", ACQUIRED)], "order at ehr1 by n.okafor"),
        ([("P1", ORDERED), ("A1", Done("ct2", "acquire"))], "acquire at ct1"),
        ([("P2", ORDERED), ("A1", ACQUIRED)], "order at ehr1"),
    ],
)
def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, events: Any, missing: str) -> None:
    stage = stage_of(monkeypatch, Repository(*events))
    examined(stage)
    with pytest.raises(StepFailure, match=missing):
        account.found(stage)


def test_what_failed_does_not_count_as_done(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = stage_of(monkeypatch, Repository(("P1", ORDERED), ("A1", ACQUIRED), outcome="failure"))
    examined(stage)
    with pytest.raises(StepFailure, match="acquire at ct1, order at ehr1"):
        account.found(stage)


def test_nothing_is_found_of_a_day_without_examinations(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NothingToJudge):
        account.found(stage_of(monkeypatch, Repository()))


def test_a_sign_in_that_is_not_on_record_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    signed = Done("ris1", "sign-in", "m.haddad")
    good = stage_of(monkeypatch, Repository(("m.haddad", signed)))
    good.facts.signed_in.add(signed)
    assert account.signed_in(good) == "1 sign-ins of 1 people"
    bad = stage_of(monkeypatch, Repository())
    bad.facts.signed_in.add(signed)
    with pytest.raises(StepFailure, match=r"sign-in at ris1 by m\.haddad"):
        account.signed_in(bad)


def test_one_alert_of_whatever_rule_is_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"summary": "It unfolds"}
    alert = Alert(position=1, received=BEGAN, host="ct1", rule="offers-deflated", level="low", of=1, fields=said)
    with pytest.raises(StepFailure, match=r"1 alerts .* offers-deflated \(It unfolds\)"):
        account.no_alert(stage_of(monkeypatch, Repository(), alert))
    assert account.no_alert(stage_of(monkeypatch, Repository())) == "no alert since 09:00:00 UTC"


def test_a_record_that_was_changed_or_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "7 records" in account.whole(stage_of(monkeypatch, Repository()))
    with pytest.raises(StepFailure, match="record 3 is not"):
        account.whole(stage_of(monkeypatch, Repository(fault=SimpleNamespace(says="record 3 is not as it was"))))
    with pytest.raises(StepFailure, match="misses messages"):
        account.whole(stage_of(monkeypatch, Repository(missing=[{"first": 4, "last": 5}])))


def test_there_is_somebody_of_every_role_that_has_work_in_a_program() -> None:
    who = people.colleagues(SITE)
    roles = {role for name in who for role in SITE.topology.people[name].roles}
    places = {place for place, _, _ in people.DESKS} | {"viewer", people.PLACE}
    for role in roles:
        name = next(name for name in who if role in SITE.topology.people[name].roles)
        works = any(people.works_at(SITE, name, place) for place in places)
        assert works or role in {"vendor", "service-desk", "security-analyst", "privacy-officer"}


@pytest.mark.parametrize(
    ("person", "seen"), [("a.rivera", True), ("s.moreau", False), ("n.okafor", True), ("d.weiss", False)]
)
def test_people_look_at_what_is_theirs(person: str, seen: bool) -> None:  # noqa: FBT001 # a parameter of the test
    done = Examined(cast("Any", EXAMINATION), "n.okafor", "Radiology")
    assert people.may_view(SITE, person, done) is seen
