"""A worklist entry has what the modality needs, and a query matches as PS3.4 says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from simulators.hl7content import Code, Order
from simulators.ris.stations import choose, modality_of, stations
from simulators.ris.worklist import answer, entry, matches, station_asked_for
from simulators.settings import Caller
from tests.unit.simulators.peers import ANNA, ris_settings

ORDER = Order(
    "O1",
    Code("CTHEAD", "CT head", "99L"),
    "CT",
    filler="F1",
    accession="A1",
    procedure_id="RP1",
    step_id="SPS1",
    study_uid="2.25.1",
)
WHEN = datetime(2026, 7, 6, 8, 30).astimezone()
ITEM = entry(ANNA, ORDER, "ct1", "CT1", WHEN)


def keys(**wanted: str) -> Dataset:
    """Return a query; names that belong into the step go there."""
    outer, step = Dataset(), Dataset()
    for name, value in wanted.items():
        setattr(step if name.startswith("Scheduled") or name == "Modality" else outer, name, value)
    outer.ScheduledProcedureStepSequence = [step]
    return outer


START, TIME = "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, True),
        ({"Modality": ""}, True),
        ({"Modality": "CT"}, True),
        ({"Modality": "MR"}, False),
        ({"ScheduledStationAETitle": "CT1"}, True),
        ({"ScheduledStationAETitle": "CT2"}, False),
        ({"PatientName": "weber*"}, True),
        ({"PatientName": "web?r^anna"}, True),
        ({"PatientName": "W[e]ber*"}, False),
        ({"PatientName": "Huber*"}, False),
        ({"PatientID": "P0000001"}, True),
        ({"PatientID": "p0000001"}, False),
        ({"AccessionNumber": "A1"}, True),
        ({"AccessionNumber": "A2"}, False),
        ({"StudyInstanceUID": "2.25.1"}, True),
        ({"StudyInstanceUID": "2.25.2"}, False),
        ({START: "20260706"}, True),
        ({START: "20260705"}, False),
        ({START: "20260701-20260731"}, True),
        ({START: "20260707-"}, False),
        ({START: "-20260706"}, True),
        ({START: "20260706", TIME: "0800-0900"}, True),
        ({START: "20260706", TIME: "0900-"}, False),
    ],
)
def test_matching(wanted: dict[str, str], *, found: bool) -> None:
    assert matches(keys(**wanted), ITEM) is found


def test_two_ranges_are_one_period_from_the_first_moment_to_the_last() -> None:
    assert matches(keys(**{START: "20260705-20260707", TIME: "1000-1800"}), ITEM)
    assert not matches(keys(**{START: "20260706-20260707", TIME: "1000-1800"}), ITEM)


def test_an_answer_has_what_was_asked_for_and_nothing_else() -> None:
    out = answer(keys(PatientName="", Modality="", AccessionNumber="A1", SpecificCharacterSet="ISO_IR 100"), ITEM)
    assert {element.keyword for element in out} == {
        "SpecificCharacterSet",
        "AccessionNumber",
        "PatientName",
        "ScheduledProcedureStepSequence",
    }
    assert [element.keyword for element in out.ScheduledProcedureStepSequence[0]] == ["Modality"]


def test_a_key_that_is_not_held_is_answered_empty() -> None:
    assert answer(keys(PatientComments=""), ITEM)["PatientComments"].is_empty


@pytest.mark.parametrize(
    "name",
    [
        "AccessionNumber",
        "PatientName",
        "PatientID",
        "IssuerOfPatientID",
        "PatientBirthDate",
        "PatientSex",
        "StudyInstanceUID",
        "RequestedProcedureID",
        "RequestedProcedureDescription",
        "RequestedProcedurePriority",
        "PlacerOrderNumberImagingServiceRequest",
        "FillerOrderNumberImagingServiceRequest",
    ],
)
def test_the_entry_identifies_patient_and_request(name: str) -> None:
    assert ITEM.get(name)


@pytest.mark.parametrize(
    "name",
    [
        "Modality",
        "ScheduledStationAETitle",
        START,
        TIME,
        "ScheduledProcedureStepID",
        "ScheduledProcedureStepDescription",
        "ScheduledProtocolCodeSequence",
    ],
)
def test_the_entry_says_what_to_do_where_and_when(name: str) -> None:
    assert ITEM.ScheduledProcedureStepSequence[0].get(name)


def test_the_station_that_a_query_names_is_seen() -> None:
    assert station_asked_for(keys(ScheduledStationAETitle="MR1")) == "MR1"
    assert station_asked_for(keys()) == ""
    assert station_asked_for(Dataset()) == ""


def test_the_least_busy_station_of_the_modality_is_chosen() -> None:
    settings = ris_settings()
    assert [station.ae_title for station in stations(settings, "CT")] == ["CT1", "CT2"]
    assert choose(stations(settings, "CT"), {}).ae_title == "CT1"
    assert choose(stations(settings, "CT"), {"CT1": 1}).ae_title == "CT2"
    assert stations(settings, "US") == []


def test_which_station_stands_first_in_the_file_says_nothing() -> None:
    settings = ris_settings()
    turned = replace(settings, callers=settings.callers[::-1])
    assert choose(stations(turned, "CT"), {}).ae_title == "CT1"


def test_a_station_that_is_kept_for_a_section_gets_its_orders_and_no_others() -> None:
    settings = ris_settings()
    us1, echo1 = (
        Caller(name, "", "", name.upper(), "US", "dicom-tls", ("MWL",), functions)
        for name, functions in (("us1", ("acquisition",)), ("echo1", ("echocardiography",)))
    )
    settings = replace(settings, callers=(*settings.callers, echo1, us1))
    assert stations(settings, "US") == [us1]
    assert stations(settings, "CUS") == [echo1]
    assert modality_of("CUS") == modality_of("US") == "US"


def test_a_scheduled_time_is_shown_in_local_time() -> None:
    item = entry(ANNA, ORDER, "ct1", "CT1", WHEN.astimezone(UTC))
    assert item.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartTime == "083000"


@pytest.mark.parametrize(
    ("asked", "family", "told"),
    [
        ("", "Weber", ""),
        ("", "Müller", "ISO_IR 192"),
        ("ISO_IR 100", "Müller", "ISO_IR 100"),
        ("ISO_IR 100", "Дворжак", "ISO_IR 192"),
        ("ISO_IR 144", "Дворжак", "ISO_IR 144"),
        ("ISO_IR 192", "Weber", "ISO_IR 192"),
        ("ISO_IR 999", "Weber", "ISO_IR 192"),
    ],
)
def test_an_answer_is_in_the_character_set_of_the_query_where_it_can_be(asked: str, family: str, told: str) -> None:
    item = entry(replace(ANNA, family=family), ORDER, "ct1", "CT1", WHEN)
    out = answer(keys(PatientName="", SpecificCharacterSet=asked), item)
    assert (out.SpecificCharacterSet or "") == told
    encoded = DicomBytesIO()
    encoded.is_little_endian, encoded.is_implicit_VR = True, True
    write_dataset(encoded, out)
    assert f"{family}^Anna".encode(python_encoding[told]) in encoded.getvalue()


def test_nothing_of_an_order_becomes_structure_of_dicom() -> None:
    order = replace(ORDER, code=Code("C" * 20, "CT\\head\nnow", "99L"), reason="a\\b", provider="Dr^A=B\\C")
    item = entry(ANNA, order, "ct1", "CT1", WHEN)
    assert item.ReferringPhysicianName == "Dr A B C"
    assert (item.RequestedProcedureDescription, item.ReasonForTheRequestedProcedure) == ("CT/head now", "a/b")
    assert item.RequestedProcedureCodeSequence[0].LongCodeValue == "C" * 20
    assert all(element.VM <= 1 for element in item.iterall() if element.VR != "SQ")
