"""What the record's commands write down: the change, the message, and a line that names no one."""

from __future__ import annotations

import argparse
import logging

import pytest

from simulators.database import URL_VARIABLE
from simulators.ehr import orders, patients
from simulators.settings import parse
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import peer

SETTINGS = parse(
    {
        "host": {"name": "ehr1", "fqdn": "ehr1.imaging.internal", "address": "127.0.0.1"},
        "site": {"name": "reference", "domain": "imaging.internal"},
        "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
        "listen": {},
        "peers": [peer("ris1", "hl7-tls", "ris", ["ORM^O01"])],
        "callers": [],
    }
)
"""A record without certificates: the RIS cannot be reached, so that messages wait."""
PERSON = {"family": "Weber", "given": "Anna", "birth_date": "19700412", "sex": "F"}
CT = {"code": "CTHEAD", "text": "CT head", "scheme": "99L", "modality": "CT", "priority": "S", "reason": "fall"}


@pytest.fixture(autouse=True)
def record(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))


def register(identifier: str) -> int:
    arguments = argparse.Namespace(**PERSON, id=identifier, patient_class="O")
    return patients.register(arguments, SETTINGS).exit_code


def test_every_change_leaves_a_line_with_numbers_and_no_name(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "pacslab")
    assert register("P1") == register("P2") == 3  # kept, and sent by the service
    patients.update(argparse.Namespace(patient="P1", **PERSON), SETTINGS)
    orders.place(argparse.Namespace(patient="P1", **CT, provider="", wait=0), SETTINGS)
    orders.cancel(argparse.Namespace(placer="O0000001"), SETTINGS)
    patients.merge(argparse.Namespace(prior="P2", into="P1"), SETTINGS)
    lines = [one.getMessage() for one in caplog.records if one.getMessage().startswith("transaction=")]
    assert [line.partition(" control_id=")[0] for line in lines] == [
        "transaction=RAD-1 action=registered peer=ris1 patient=P1",
        "transaction=RAD-1 action=registered peer=ris1 patient=P2",
        "transaction=RAD-12 action=updated peer=ris1 patient=P1",
        "transaction=RAD-2 action=ordered peer=ris1 placer=O0000001 patient=P1",
        "transaction=RAD-2 action=cancelled peer=ris1 placer=O0000001 patient=P1",
        "transaction=RAD-12 action=merged peer=ris1 patient=P1 prior=P2",
    ]
    assert all(line.endswith("outcome=waiting") for line in lines)
    assert "Weber" not in caplog.text


def test_an_order_is_kept_as_it_was_placed() -> None:
    register("P1")
    orders.place(argparse.Namespace(patient="P1", **CT, provider="Dr X", wait=0), SETTINGS)
    (row,) = orders.listing(argparse.Namespace(patient="P1"), SETTINGS).data
    assert (row["placer"], row["patient_id"], row["description"], row["status"]) == (
        "O0000001",
        "P1",
        "CT head",
        "ordered",
    )
    assert {name: row[name] for name in ("code", "scheme", "modality", "priority", "reason", "provider")} == {
        **{name: CT[name] for name in ("code", "scheme", "modality", "priority", "reason")},
        "provider": "Dr X",
    }
