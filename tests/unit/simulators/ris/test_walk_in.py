"""A practice without a record registers and orders at its RIS; where there is a record, that is its business."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from simulators.database import URL_VARIABLE
from simulators.errors import ArgumentError, NotFoundError
from simulators.hl7messages import parse
from simulators.ris import walk_in
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.ris.hospital import Ris

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulators.settings import Settings

WEBER = argparse.Namespace(family="Weber", given="Anna", birth_date="19700412", sex="F")


@pytest.fixture
def ris(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Ris]:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    one = Ris()
    yield one
    one.close()


def practice(ris: Ris) -> Settings:
    """The same site without its record."""
    return replace(
        ris.settings,
        peers=tuple(peer for peer in ris.settings.peers if "ehr" not in peer.roles),
        callers=tuple(caller for caller in ris.settings.callers if "ORM^O01" not in caller.permits),
    )


def asked(patient: str, modality: str = "CT") -> argparse.Namespace:
    return argparse.Namespace(
        patient=patient, code="CTHEAD", text="CT head", scheme="99L", modality=modality, reason="", provider=""
    )


def test_a_walk_in_is_scheduled_and_on_the_stations_worklist(ris: Ris) -> None:
    here = practice(ris)
    patient = walk_in.register(WEBER, here).data["patient"]
    procedure = walk_in.order(asked(patient), here).data["procedure"]
    assert (procedure["placer"], procedure["patient_id"], procedure["status"]) == ("O0000001", patient, "scheduled")
    assert ris.worklist("CT1")[0] == [procedure["accession"]]


def test_image_managers_are_told_and_no_record(ris: Ris) -> None:
    here = practice(ris)
    walk_in.order(asked(walk_in.register(WEBER, here).data["patient"]), here)
    (told,) = ris.waiting("pacs-rad")
    assert parse(told["body"].encode()).get("PID", 5) == "Weber"
    assert ris.waiting("ehr1") == []


def test_two_patients_and_two_orders_have_numbers_of_their_own(ris: Ris) -> None:
    here = practice(ris)
    patients = [walk_in.register(WEBER, here).data["patient"] for _ in range(2)]
    placed = [walk_in.order(asked(patient), here).data["procedure"] for patient in patients]
    assert (
        len({order["accession"] for order in placed})
        == len({order["placer"] for order in placed})
        == len(set(patients))
        == 2
    )


def test_where_a_record_sends_orders_both_verbs_refuse(ris: Ris) -> None:
    with pytest.raises(ArgumentError, match="come from ehr1"):
        walk_in.register(WEBER, ris.settings)
    with pytest.raises(ArgumentError, match="come from ehr1"):
        walk_in.order(asked("P1"), ris.settings)
    assert ris.rows("SELECT * FROM patients") == []


def test_an_unknown_patient_a_wrong_date_and_a_missing_station_leave_nothing_behind(ris: Ris) -> None:
    here = practice(ris)
    with pytest.raises(NotFoundError):
        walk_in.order(asked("W9999999"), here)
    with pytest.raises(ArgumentError, match="not YYYYMMDD"):
        walk_in.register(argparse.Namespace(**{**vars(WEBER), "birth_date": "12.4.1970"}), here)
    with pytest.raises(ArgumentError, match="no station performs US"):
        walk_in.order(asked(walk_in.register(WEBER, here).data["patient"], "US"), here)
    assert ris.rows("SELECT * FROM procedures") == []
