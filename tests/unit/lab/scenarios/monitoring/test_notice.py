"""A deed is noticed when its rule alerts in time, with evidence, about who did it, and is silent when it is off."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.abuse.attempt import PartyMissingError
from lab.hospital.detections import Alert
from lab.hospital.repository import Found
from lab.hospital.trail import Trail
from lab.scenarios.failure import NothingToJudge, StepFailure
from lab.scenarios.monitoring import notice
from lab.scenarios.monitoring.deed import Attempt, Deed
from lab.scenarios.monitoring.facts import MonitoringFacts
from lab.scenarios.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

RULE = "dicom-title-of-another"
KIND = {"event.dataset": "dicom.audit", "event.provider": "haproxy", "event.action": "associate",
        "event.outcome": "failure", "event.reason": "ae-mismatch", "host.name": "pacs-rad"}  # fmt: skip


class Judged:
    """A repository whose judge has one rule, in a time of its own.

    Attributes:
        late: seconds from an event to its alert.
        deaf: whether the rule finds nothing.
        obedient: whether it goes when it is switched off.
        stores: how many of the events that are sent arrive.
    """

    host = "siem1"
    takes_lines = False

    def __init__(self, **rest: Any) -> None:
        """Begin with nothing stored."""
        self.late, self.deaf, self.obedient, self.stores = 0.0, False, True, 99
        self.__dict__.update(rest)
        self.clock = datetime(2026, 1, 5, 9, tzinfo=UTC)
        self.events: list[Found] = []
        self.raised: list[Alert] = []
        self.off: list[str] = []
        self.repository = SimpleNamespace()

    def take(self, **fields: str) -> None:
        """Store an event, and judge it."""
        self.now()
        if self.stores == 0:
            return
        self.stores -= 1
        when = self.clock.isoformat()
        event = Found(position=len(self.events), received=when, fields={"@timestamp": when, **KIND, **fields})
        self.events.append(event)
        if self.deaf or (self.off and self.obedient):
            return
        said = {"events": [event.position], "subject": {"dicom.calling_ae": "CT2"}, "summary": "Another's title"}
        self.raised.append(
            Alert(
                position=event.position, received=self.clock + timedelta(seconds=self.late), host="pacs-rad", rule=RULE,
                level="high", of=event.position, fields=said,
            )
        )  # fmt: skip

    def now(self) -> datetime:
        """Each look takes a moment."""
        self.clock += timedelta(milliseconds=1)
        return self.clock

    def alerts(self, since: datetime, rule: str = "") -> list[Alert]:
        """What was raised and is there by now; each question takes a second."""
        self.clock += timedelta(seconds=1)
        found = [alert for alert in self.raised if since <= alert.received <= self.clock]
        return [alert for alert in found if rule in {"", alert.rule}]

    def evidence(self, alert: Alert, since: datetime) -> list[Found]:
        """The events that an alert names."""
        del since
        return [event for event in self.events if event.position in alert.events]

    def kinds(self, hosts: Any, since: datetime) -> list[Any]:
        """What is stored of hosts."""
        found = [event for event in self.events if datetime.fromisoformat(event.received) >= since]
        return [notice.Kind.of(event) for event in found if event.fields["host.name"] in hosts]

    @contextmanager
    def without(self, rule: str, why: str) -> Iterator[None]:
        """Take a rule out."""
        assert why
        self.off.append(rule)
        yield
        self.off.clear()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lab.scenarios.stage.POLL", 0.0)
    monkeypatch.setattr(notice, "ARRIVES_WITHIN", 0.05)
    monkeypatch.setattr(notice, "QUIET_OF_COUNTS", 0.1)
    monkeypatch.setattr(notice, "QUIET", 0.05)


def outcome(monkeypatch: pytest.MonkeyPatch, judged: Judged, *, about: str = "CT1", lines: bool = False) -> str:
    """What comes of a deed."""
    undone: list[str] = []

    @contextmanager
    def make() -> Iterator[str]:
        judged.take(**{"dicom.calling_ae": "CT2", "source.domain": "CT1"})
        yield "it was done"
        undone.append("undone")

    monkeypatch.setattr(notice, "detections_of", lambda _: judged)
    deed = Deed("deed", "Deed", cast("Any", None), "", RULE, lambda _: Attempt(make, frozenset({about})), 0.1, lines)
    stage = Stage(cast("Any", SimpleNamespace(trail=Trail())), MonitoringFacts())
    said = notice.noticed(deed, stage)
    assert len(undone) == 2
    return said


def test_a_deed_that_its_rule_notices_is_told_with_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    said = outcome(monkeypatch, Judged(late=0.004))
    assert "0.00 s after the event" in said
    assert "without the rule the same events (haproxy associate failure ae-mismatch) raised none" in said


def test_a_deaf_rule_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailure, match="raised no alert about CT1"):
        outcome(monkeypatch, Judged(deaf=True))


def test_an_alert_that_comes_too_late_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailure, match="the alert came"):
        outcome(monkeypatch, Judged(late=0.5))


def test_an_alert_about_somebody_else_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailure, match="raised no alert about US1"):
        outcome(monkeypatch, Judged(), about="US1")


def test_an_alert_of_a_rule_that_is_off_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailure, match="switched off, and there is an alert"):
        outcome(monkeypatch, Judged(obedient=False))


def test_silence_proves_nothing_while_the_events_are_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailure, match="done again without the rule, and not stored"):
        outcome(monkeypatch, Judged(stores=1))


def test_what_needs_lines_does_not_apply_where_none_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NothingToJudge, match="siem_lines"):
        outcome(monkeypatch, Judged(), lines=True)


def test_what_the_site_cannot_have_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Any) -> Attempt:
        raise PartyMissingError("the site has no second scanner")

    monkeypatch.setattr(notice, "detections_of", lambda _: Judged())
    deed = Deed("deed", "Deed", cast("Any", None), "", RULE, missing)
    with pytest.raises(NothingToJudge, match="no second scanner"):
        notice.noticed(deed, Stage(cast("Any", SimpleNamespace(trail=Trail())), MonitoringFacts()))
