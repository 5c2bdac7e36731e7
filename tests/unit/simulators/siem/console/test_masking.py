"""What is not known to tell of no patient is withheld from whoever may not see patients' data."""

from __future__ import annotations

import pytest

from simulators.siem.console.clearance import NOTHING, Clearance
from simulators.siem.console.masking import OF_ANYTHING, OF_PATIENTS, OPEN, of_alert, of_event
from simulators.siem.fields import FIELDS
from tests.unit.simulators.siem.console.conftest import policy
from tests.unit.simulators.siem.console.stored import ALERT, PATIENT, STUDY

ANALYST, OFFICER = Clearance(events=True), Clearance(events=True, patients=True)


def test_every_field_of_the_schema_is_either_open_or_withheld_by_name() -> None:
    assert set(FIELDS) - OPEN - OF_PATIENTS - OF_ANYTHING == set()
    assert not OPEN & (OF_PATIENTS | OF_ANYTHING)


def test_a_field_that_nobody_knows_is_withheld() -> None:
    masked = of_event({"event.action": "query", "patient.name": "x", "new.field": 1}, ANALYST)
    assert (masked.fields, masked.withheld) == ({"event.action": "query"}, 2)


@pytest.mark.parametrize("dataset", ["system.line", "postgresql.log", "dicom.audit.refused", "ids.alert", "", None])
def test_text_that_may_quote_somebody_is_withheld(dataset: str | None) -> None:
    assert "message" not in of_event({"event.dataset": dataset, "message": PATIENT}, ANALYST).fields  # type: ignore[dict-item]


def test_what_a_host_and_the_repository_say_by_themselves_is_shown() -> None:
    assert of_event({"event.dataset": "system.unit", "message": "m"}, ANALYST).get("message") == "m"
    told = {"event.dataset": "siem.self", "event.action": "miss", "message": "m"}
    assert of_event(told, ANALYST).get("message") == "m"
    assert of_event(told | {"event.action": "refuse"}, ANALYST).get("message") == ""


def test_an_alert_keeps_the_rules_words_and_loses_the_patient() -> None:
    masked = of_alert(ALERT, ANALYST)
    assert masked.get("title") == ALERT["title"]
    assert masked.fields["subject"] == {"user.name": "n.okafor"}
    assert masked.fields["facts"] == {"count": 3}
    assert masked.fields["events"] == ALERT["events"]
    assert not [value for value in (PATIENT, STUDY) if value in str(masked.fields)]
    assert of_alert(ALERT, OFFICER).fields == ALERT


def test_whoever_may_read_no_events_gets_none_of_a_record() -> None:
    assert of_event({"event.action": "query"}, NOTHING).fields == {}
    assert of_alert(ALERT, Clearance(collection=True)).fields == {}


@pytest.mark.parametrize(
    ("roles", "clearance"),
    [
        (["security-analyst"], Clearance(collection=True, events=True, handles=True)),
        (["privacy-officer"], Clearance(collection=True, events=True, patients=True, handles=True)),
        (["pacs-administrator"], Clearance(collection=True)),
        (["radiologist", "service-desk", "vendor", "no-such-role"], NOTHING),
        ([], NOTHING),
    ],
)
def test_a_clearance_follows_from_the_policy(roles: list[str], clearance: Clearance) -> None:
    assert Clearance.of(policy(), roles) == clearance
