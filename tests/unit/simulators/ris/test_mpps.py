"""A performed procedure step follows PS3.4 F.7.2: what it needs, what it may become, and that the end is final."""

from __future__ import annotations

import itertools

import pytest
from pydicom.dataset import Dataset

from simulators.ehr.receive import STATUSES as UNDERSTOOD
from simulators.ris import mpps, requests
from simulators.ris.tell import STATUSES as TOLD

STATES = (mpps.IN_PROGRESS, mpps.COMPLETED, mpps.DISCONTINUED)


def creation(**changes: str | None) -> Dataset:
    reference = Dataset()
    reference.StudyInstanceUID = "2.25.1"
    attributes = Dataset()
    attributes.ScheduledStepAttributesSequence = [reference]
    attributes.PerformedProcedureStepID = "PPS1"
    attributes.PerformedStationAETitle = "CT1"
    attributes.PerformedProcedureStepStartDate = "20260706"
    attributes.PerformedProcedureStepStartTime = "083000"
    attributes.PerformedProcedureStepStatus = mpps.IN_PROGRESS
    attributes.Modality = "CT"
    for name, value in changes.items():
        if value is None:
            delattr(attributes, name)
        else:
            setattr(attributes, name, value)
    return attributes


def end(status: str) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = "2.25.2"
    attributes = Dataset()
    attributes.PerformedProcedureStepStatus = status
    attributes.PerformedProcedureStepEndDate = "20260706"
    attributes.PerformedProcedureStepEndTime = "084000"
    attributes.PerformedSeriesSequence = [series]
    return attributes


def failure(uid: str | None = "2.25.3", attributes: Dataset | None = None, calling: str = "CT1") -> int:
    with pytest.raises(requests.RequestError) as raised:
        mpps.check_creation(uid, attributes or creation(), {calling})
    return raised.value.status


def test_a_step_in_progress_may_be_created() -> None:
    mpps.check_creation("2.25.3", creation(), {"CT1"})


@pytest.mark.parametrize("name", mpps.NEEDED_AT_CREATION)
def test_a_missing_attribute_is_told_from_an_empty_one(name: str) -> None:
    assert failure(attributes=creation(**{name: None})) == 0x0120
    emptied = creation()
    emptied[name].value = [] if name.endswith("Sequence") else ""
    assert failure(attributes=emptied) == 0x0121


@pytest.mark.parametrize("status", [mpps.COMPLETED, mpps.DISCONTINUED, "WHATEVER"])
def test_a_step_begins_in_progress(status: str) -> None:
    assert failure(attributes=creation(PerformedProcedureStepStatus=status)) == 0x0106


def test_a_station_speaks_for_itself_only() -> None:
    assert failure(calling="MR1") == 0x0124


@pytest.mark.parametrize("uid", [None, "", "1.2.x", "../../etc", "1." * 40 + "1", "1.02"])
def test_what_is_no_uid_names_no_step(uid: str | None) -> None:
    assert failure(uid=uid) == 0x0117


@pytest.mark.parametrize("status", STATES)
def test_a_step_in_progress_may_go_on_or_end(status: str) -> None:
    assert mpps.check_change(mpps.IN_PROGRESS, end(status), creation()) == status


@pytest.mark.parametrize("state", [mpps.COMPLETED, mpps.DISCONTINUED])
@pytest.mark.parametrize("status", [*STATES, None])
def test_an_ended_step_is_never_changed(state: str, status: str | None) -> None:
    change = end(status) if status else Dataset()
    with pytest.raises(requests.RequestError, match="may no longer be updated") as raised:
        mpps.check_change(state, change, creation())
    assert (raised.value.status, raised.value.error_id) == (0x0110, 0xA710)


def test_the_table_of_transitions_is_complete() -> None:
    assert set(mpps.TRANSITIONS) == set(itertools.product(STATES, STATES))


@pytest.mark.parametrize("name", ["PatientID", "PerformedStationAETitle", "Modality"])
def test_what_was_said_at_the_beginning_stays(name: str) -> None:
    change = end(mpps.COMPLETED)
    setattr(change, name, "X")
    with pytest.raises(requests.RequestError) as raised:
        mpps.check_change(mpps.IN_PROGRESS, change, creation())
    assert raised.value.status == 0x0105


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (mpps.COMPLETED, "PerformedProcedureStepEndDate"),
        (mpps.DISCONTINUED, "PerformedProcedureStepEndTime"),
        (mpps.COMPLETED, "PerformedSeriesSequence"),
    ],
)
def test_an_end_needs_its_time_and_a_completed_step_its_series(status: str, name: str) -> None:
    change = end(status)
    delattr(change, name)
    with pytest.raises(requests.RequestError) as raised:
        mpps.check_change(mpps.IN_PROGRESS, change, creation())
    assert raised.value.status == 0x0120


def test_a_step_discontinued_before_its_first_image_has_no_series() -> None:
    change = end(mpps.DISCONTINUED)
    del change.PerformedSeriesSequence
    assert mpps.check_change(mpps.IN_PROGRESS, change, creation()) == mpps.DISCONTINUED


def test_every_status_that_the_ris_tells_means_something_to_the_ehr() -> None:
    assert set(TOLD.values()) == set(UNDERSTOOD)
