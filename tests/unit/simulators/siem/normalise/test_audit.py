"""Audit messages become the fields that the events themselves become."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest
from lxml import etree

from simulators.audit.message import messages_of
from simulators.audit.table import rows_for
from simulators.audit.told import CHANGE_LOCAL
from simulators.events.actions import ACTIONS
from simulators.siem.fields import DATASETS, unknown
from simulators.siem.normalise.audit import of_message
from simulators.siem.normalise.told import of_facts
from tests.unit.simulators.audit.events import PLAIN, ROWS, SOURCE, event_for, identify, keys_of
from tests.unit.simulators.siem.samples import PARTS, sample

if TYPE_CHECKING:
    from simulators.audit.table import Row
    from simulators.siem.fields import Fields

RECEIVED = 1767604365.0
UNTOLD = {
    # a caller's first, beside the message of what was asked; and what the codes of a message cannot tell apart
    "network-entry": {"connect", "associate", "request"},
    "patient-record": {"update-patient", "merge-patients", "admit", "discharge", "register"},
    "order-record": {"change-order", "cancel", "order-status", "order"},
    "procedure-record": {"ask-rejection", "decide-rejection", "report", "schedule"},
    "access": {"hold-object", "restamp", "resolve-object"},
    "sign-in": {"ssh-login"},
    "sign-out": {"ssh-logout"},
    "unit-stop": {"unit-fail"},
}
"""Words that stand for others in a message that does not tell the action itself."""


def _event_and_message(row: Row) -> tuple[Fields, Fields]:
    facts = {key: value for key, value in PLAIN.items() if key in keys_of(row.action)}
    action = ACTIONS.get(row.action)
    if action is not None and action.transactions and "transaction" not in row.values:
        facts["transaction"] = action.transactions[-1]
    told = event_for(row, **facts)
    if row not in rows_for(told):  # what another row is there for
        told = event_for(row, **{key: facts[key] for key in facts if key not in {"study", "certificate"}})
    event = of_facts(told.action, told.outcome, told.program, told.facts, "ris1")
    (message,) = [message for made, message in messages_of(told, SOURCE) if made is row]
    parsed = etree.fromstring(message.xml.encode())
    return event, of_message(parsed, "ris1", RECEIVED, program=message.program, pid=message.pid)


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_a_message_says_what_its_event_says(row: Row) -> None:
    event, message = _event_and_message(row)
    assert message["event.action"] == event["event.action"] or row.action in UNTOLD[str(message["event.action"])]
    for name in ("pacslab.outcome", "event.outcome", "event.reason", "ihe.transaction", "event.provider", "host.name"):
        assert message.get(name) == event.get(name), name
    about = {about.name for about in row.about}
    if {"PATIENT", "PATIENT_IF_KNOWN"} & about and "patient.id" in event:
        assert message["patient.id"] == "P0000001"
    if {"STUDY", "STUDY_IF_KNOWN"} & about:
        assert (message["dicom.study_uid"], message["dicom.accession"]) == ("1.2.3.4", "A0000001")
    if row.action == CHANGE_LOCAL:  # of which nobody says who did it: it is the account that was changed
        assert message["user.target.name"] == "a.rivera"
        assert "user.name" not in message
    elif row.who.name not in {"NODE", "APPLICATION", "IMPORTS"}:
        assert message["user.name"] == event["user.name"] == "a.rivera"


@pytest.mark.parametrize("row", ROWS, ids=identify)
def test_every_field_is_one_of_the_schema(row: Row) -> None:
    for fields in _event_and_message(row):
        assert unknown(fields) == []
        assert all(value not in ("", None, []) for value in fields.values())
    assert fields["event.dataset"] in DATASETS


def test_who_called_whom_is_told_alike_where_both_sides_are_told() -> None:
    told = {
        action: [_event_and_message(row) for row in ROWS if row.action == action and row.who.name in {"IN", "OUT"}]
        for action in ("store", "query", "forward", "receive-images", "person-searches")
    }
    for pairs in told.values():
        for event, message in pairs:
            for name in ("source.domain", "destination.domain"):
                assert message[name] == event[name]
    assert told["store"][0][1]["destination.domain"] == "ct1"
    assert told["query"][0][1]["source.domain"] == "ct1"  # the order filler is asked


def test_keys_of_a_query_are_read_from_its_dataset() -> None:
    row = next(row for row in ROWS if row.action == "query" and row.event.value == "110112")
    told = event_for(row, transaction="RAD-5", station="MR1", patient="P0000001", level="STUDY", ae_title="CT1")
    message = next(message for _, message in messages_of(told, SOURCE))
    fields = of_message(etree.fromstring(message.xml.encode()), "ris1", RECEIVED, program=message.program)
    assert fields["dicom.station_ae"] == "MR1"
    assert fields["dicom.query_level"] == "STUDY"
    assert fields["patient.id"] == "P0000001"
    assert fields["dicom.calling_ae"] == "CT1"


@pytest.mark.parametrize("event", PARTS)
def test_messages_of_foreign_devices_are_read(event: str) -> None:
    fields = of_message(etree.fromstring(sample(event)), "ct9", RECEIVED)
    assert unknown(fields) == []
    assert fields["event.dataset"] == "dicom.audit"
    assert fields["host.name"] == "ct9"
    assert fields["event.action"] not in {"", "security-alert"}
    assert fields["@timestamp"] == "2026-01-05T09:12:44.310Z"
    assert fields["pacslab.lag"] == 0.69


def test_of_two_foreign_nodes_the_requestor_called() -> None:
    fields = of_message(etree.fromstring(sample("DICOM Instances Transferred")), "ct9", RECEIVED)
    assert (fields["source.domain"], fields["destination.domain"]) == ("ct1", "pacs-rad")
    assert fields["dicom.study_uid"] == "1.2.3"
    assert fields["dicom.instances"] == 2


@pytest.mark.parametrize("text", ["!!!", base64.b64encode(b"\x08\0\x50\0SH\xff\xff").decode(), "AAAA" * 4000])
def test_a_query_that_is_none_does_no_harm(text: str) -> None:
    message = sample("Query").replace(base64.b64encode(b"a query").decode(), text)
    assert of_message(etree.fromstring(message), "ct9", RECEIVED)["event.action"] == "query"


def _described(text: str) -> dict[str, Any]:
    detail = base64.b64encode(text.encode()).decode()
    message = sample("Security Alert").replace(base64.b64encode(b"refused").decode(), detail)
    return dict(of_message(etree.fromstring(message), "ct9", RECEIVED))


def test_a_foreign_alert_keeps_the_word_of_its_code() -> None:
    assert _described("something was refused: badly")["event.action"] == "node-authentication"
    assert _described("no-such-word refused: why")["event.action"] == "node-authentication"
    assert _described("associate refused: ae-mismatch")["event.reason"] == "ae-mismatch"
