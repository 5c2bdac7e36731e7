"""A modality performs steps as IHE asks, loses no image, and deletes none too early."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from simulators.errors import ArgumentError, AssociationRejectedError, NotFoundError, RefusedError, UnreachableError
from simulators.imaging.jpeg import photograph
from simulators.imaging.pdf import encapsulated_pdf
from simulators.imaging.samples import sample_jpeg, sample_pdf
from simulators.modality import acquisition, commitment, deliver, worklist
from simulators.modality.server import listen, publish
from simulators.modality.spool import (
    ACQUIRED,
    COMMITTED,
    COMPLETED,
    DISCONTINUED,
    MOST_REFUSALS,
    SET_ASIDE,
    STORED,
    Spool,
)
from tests.unit.simulators.modality.peers import open_hospital, worklist_item
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulators.modality.spool import PerformedStep
    from tests.unit.simulators.modality.peers import Hospital


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    with ExitStack() as stack:
        yield open_hospital(stack)


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path)


@pytest.fixture
def listening(hospital: Hospital, spool: Spool) -> Iterator[Hospital]:
    """The hospital, with the modality listening for results."""
    server = listen(spool, "CT1", 0, ["PACSRAD"])
    hospital.archive.modality_port = server.server_address[1]
    yield hospital
    server.shutdown()


def performed(hospital: Hospital, spool: Spool, images: int = 2) -> PerformedStep:
    """A step that has begun, with its images in the spool."""
    step = acquisition.begin(hospital.links, spool, accession="ACC1", step_id="", commit=True)
    acquisition.acquire(hospital.links, spool, step, images=images, phantom=True)
    return step


def stored(hospital: Hospital, spool: Spool) -> PerformedStep:
    """A step whose images the archive has."""
    step = performed(hospital, spool)
    deliver.store_images(hospital.links, spool, spool.instances(step.uid, [ACQUIRED]))
    return step


# --- worklist ---------------------------------------------------------------------------------


def test_the_worklist_shows_the_steps_of_this_station(hospital: Hospital) -> None:
    items = worklist.query(hospital.links)
    assert worklist.summary(items[0])["accession"] == "ACC1"
    assert worklist.summary(items[0])["patient_name"] == "Müller^Änne"


def test_another_stations_steps_are_refused_and_said_to_be(hospital: Hospital) -> None:
    with pytest.raises(RefusedError, match="0x0124"):
        worklist.query(hospital.links, station="MR1")


def test_an_order_that_is_not_scheduled_is_not_found(hospital: Hospital, spool: Spool) -> None:
    with pytest.raises(NotFoundError, match="NOPE"):
        acquisition.begin(hospital.links, spool, accession="NOPE", step_id="", commit=False)


def test_an_order_with_several_steps_asks_which(hospital: Hospital, spool: Spool) -> None:
    hospital.ris.items.append(worklist_item(step_id="SPS2"))
    with pytest.raises(ArgumentError, match="SPS1, SPS2"):
        acquisition.begin(hospital.links, spool, accession="ACC1", step_id="", commit=False)
    assert acquisition.begin(hospital.links, spool, accession="ACC1", step_id="SPS2", commit=False).step_id == "SPS2"


# --- procedure step and images ----------------------------------------------------------------


def test_images_carry_the_orders_identity_and_the_step(hospital: Hospital, spool: Spool) -> None:
    step = stored(hospital, spool)
    assert len(hospital.archive.stored) == 2
    for image in hospital.archive.stored.values():
        assert image.StudyInstanceUID == "2.25.4711"
        assert image.AccessionNumber == "ACC1"
        assert image.PatientID == "P0001"
        assert image.PatientName == "Müller^Änne"
        assert image.ReferencedPerformedProcedureStepSequence[0].ReferencedSOPInstanceUID == step.uid
        assert image.RequestAttributesSequence[0].ScheduledProcedureStepID == "SPS1"


def test_the_ris_learns_of_begin_and_end_with_every_image(hospital: Hospital, spool: Spool) -> None:
    step = performed(hospital, spool)
    known = hospital.ris.steps[step.uid]
    assert known.PerformedProcedureStepStatus == "IN PROGRESS"
    assert known.ScheduledStepAttributesSequence[0].StudyInstanceUID == "2.25.4711"
    deliver.report_end(hospital.links, spool, acquisition.end(spool, step, COMPLETED))
    assert known.PerformedProcedureStepStatus == "COMPLETED"
    listed = {
        reference.ReferencedSOPInstanceUID for reference in known.PerformedSeriesSequence[0].ReferencedImageSequence
    }
    assert listed == {instance.uid for instance in spool.instances(step.uid)}


def test_a_final_state_cannot_be_changed_here_or_at_the_ris(hospital: Hospital, spool: Spool) -> None:
    step = performed(hospital, spool)
    ended = acquisition.end(spool, step, COMPLETED)
    deliver.report_end(hospital.links, spool, ended)
    with pytest.raises(ArgumentError, match="COMPLETED"):
        acquisition.end(spool, ended, DISCONTINUED, "110514")
    with pytest.raises(RefusedError, match="0x0110"):
        deliver.report_end(hospital.links, spool, replace(ended, ended=ended.ended + 1))


def test_a_step_is_discontinued_with_a_coded_reason(hospital: Hospital, spool: Spool) -> None:
    step = performed(hospital, spool)
    with pytest.raises(ArgumentError, match="no reason"):
        acquisition.end(spool, step, DISCONTINUED, "000000")
    deliver.report_end(hospital.links, spool, acquisition.end(spool, step, DISCONTINUED, "110514"))
    reason = hospital.ris.steps[step.uid].PerformedProcedureStepDiscontinuationReasonCodeSequence[0]
    assert (reason.CodeValue, reason.CodeMeaning) == ("110514", "Incorrect worklist entry selected")


def test_a_step_without_images_cannot_be_completed(hospital: Hospital, spool: Spool) -> None:
    step = acquisition.begin(hospital.links, spool, accession="ACC1", step_id="", commit=False)
    with pytest.raises(ArgumentError, match="no images"):
        acquisition.end(spool, step, COMPLETED)


def test_photographs_and_documents_join_the_study_and_are_listed_by_kind(hospital: Hospital, spool: Spool) -> None:
    step = performed(hospital, spool, images=1)
    study = acquisition.study_of(hospital.links, step)
    acquisition.add(spool, step, photograph(study, sample_jpeg()))
    acquisition.add(spool, step, encapsulated_pdf(study, sample_pdf(["requisition"])))
    assert deliver.store_images(hospital.links, spool, spool.instances(step.uid)).stored == 3
    deliver.report_end(hospital.links, spool, acquisition.end(spool, step, COMPLETED))
    series = hospital.ris.steps[step.uid].PerformedSeriesSequence
    assert [len(series_entry.ReferencedImageSequence) for series_entry in series] == [1, 1, 0]
    assert [len(series_entry.ReferencedNonImageCompositeSOPInstanceSequence) for series_entry in series] == [0, 0, 1]


# --- outage -----------------------------------------------------------------------------------


def test_an_archive_that_is_away_leaves_the_images_in_the_queue(hospital: Hospital, spool: Spool) -> None:
    step = performed(hospital, spool)
    hospital.stop_archive()
    delivery = deliver.store_images(hospital.links, spool, spool.instances(step.uid))
    assert isinstance(delivery.error, UnreachableError)
    assert delivery.waiting == 2
    waiting = spool.instances(step.uid)
    assert {instance.state for instance in waiting} == {ACQUIRED}
    assert all(instance.attempts == 1 and instance.due > time.time() and instance.error for instance in waiting)


def test_the_service_delivers_and_commits_when_the_archive_is_back(listening: Hospital, spool: Spool) -> None:
    step = performed(listening, spool)
    listening.stop_archive()
    deliver.store_images(listening.links, spool, spool.instances(step.uid))
    listening.start_archive()
    courier = deliver.Courier(lambda: listening.links, spool)

    def committed() -> bool:
        courier.round()
        return {instance.state for instance in spool.instances(step.uid)} == {COMMITTED}

    wait_until(committed, "the images were not committed")


def test_pauses_between_attempts_grow_to_a_limit(hospital: Hospital, spool: Spool) -> None:
    performed(hospital, spool, images=1)
    pauses = []
    for _ in range(12):
        spool.mark_failed(spool.instances()[0], "away")
        pauses.append(round(spool.instances()[0].due - time.time()))
    assert pauses[:4] == [1, 2, 4, 8]
    assert pauses[-1] == 300


def test_an_image_that_is_refused_is_kept_with_the_status(hospital: Hospital, spool: Spool) -> None:
    hospital.archive.store_status = 0xA700
    step = stored(hospital, spool)
    assert {instance.error for instance in spool.instances(step.uid, [ACQUIRED])} == {"status 0xA700"}


def refused(hospital: Hospital, spool: Spool, times: int) -> None:
    for _ in range(times):
        if waiting := spool.instances(states=[ACQUIRED]):
            deliver.store_images(hospital.links, spool, waiting)


def test_an_image_that_the_archive_does_not_take_is_set_aside_in_the_end_and_named(
    hospital: Hospital, spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    performed(hospital, spool, images=1)
    hospital.archive.store_status = 0xC113
    refused(hospital, spool, MOST_REFUSALS - 1)
    assert spool.instances(states=[SET_ASIDE]) == []
    refused(hospital, spool, 3)
    (aside,) = spool.instances(states=[SET_ASIDE])
    assert (aside.error, aside.attempts) == ("status 0xC113", MOST_REFUSALS)
    publish(spool)
    assert "0xC113" in (tmp_path / "set-aside").read_text()
    hospital.archive.store_status = 0
    spool.retry(aside.uid)
    refused(hospital, spool, 1)
    assert [instance.state for instance in spool.instances()] == [STORED]
    publish(spool)
    assert (tmp_path / "set-aside").read_text() == ""


@pytest.mark.parametrize("status", [0xA700, None])
def test_an_archive_that_is_full_or_away_sets_no_image_aside(
    hospital: Hospital, spool: Spool, status: int | None
) -> None:
    performed(hospital, spool, images=1)
    if status is None:
        for _ in range(3 * MOST_REFUSALS):
            spool.mark_failed(spool.instances()[0], "away")
    else:
        hospital.archive.store_status = status
        refused(hospital, spool, 3 * MOST_REFUSALS)
    assert [instance.state for instance in spool.instances()] == [ACQUIRED]


def test_an_image_that_is_set_aside_may_be_given_up(hospital: Hospital, spool: Spool) -> None:
    performed(hospital, spool, images=1)
    hospital.archive.store_status = 0xC113
    refused(hospital, spool, MOST_REFUSALS)
    (aside,) = spool.instances(states=[SET_ASIDE])
    spool.drop(aside.uid)
    assert spool.instances() == []
    assert not spool.path(aside.uid).exists()
    with pytest.raises(NotFoundError):
        spool.retry(aside.uid)


# --- what a peer refuses of a step ------------------------------------------------------------


def rounds(hospital: Hospital, spool: Spool, count: int) -> None:
    """Let the service try so often, without its pauses."""
    for _ in range(count):
        deliver.Courier(lambda: hospital.links, spool).round()


def ended(hospital: Hospital, spool: Spool) -> PerformedStep:
    """A step that has ended, of which the RIS has yet to be told."""
    step = acquisition.begin(hospital.links, spool, accession="ACC1", step_id="", commit=False)
    acquisition.acquire(hospital.links, spool, step, images=1, phantom=True)
    deliver.store_images(hospital.links, spool, spool.instances(step.uid))
    return acquisition.end(spool, step, COMPLETED)


def test_an_end_that_the_ris_refuses_for_good_is_set_aside_after_bounded_tries_and_named(
    hospital: Hospital, spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]]
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    step = ended(hospital, spool)
    hospital.ris.end_status = 0x0112
    rounds(hospital, spool, MOST_REFUSALS - 1)
    assert spool.refusals(SET_ASIDE) == []
    rounds(hospital, spool, 3)
    assert hospital.ris.ends == MOST_REFUSALS, "it is not told again"
    (refusal,) = spool.refusals(SET_ASIDE)
    assert (refusal.step, refusal.what) == (step.uid, "end")
    publish(spool)
    assert f"{step.uid}: end: ris1 refused N-SET: status 0x0112" in (tmp_path / "set-aside").read_text()
    aside = {"action": "update-step", "outcome": "failed", "reason": "set-aside", "accession": "ACC1", "peer": "ris1"}
    assert [event for event in events if aside.items() <= event.items()]


def test_an_end_that_was_set_aside_is_told_again_when_somebody_says_so(
    hospital: Hospital, spool: Spool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    step = ended(hospital, spool)
    hospital.ris.end_status = 0x0124
    rounds(hospital, spool, MOST_REFUSALS)
    spool.retry(step.uid)
    rounds(hospital, spool, MOST_REFUSALS)
    assert hospital.ris.ends == 2 * MOST_REFUSALS
    spool.retry(step.uid)
    hospital.ris.end_status = 0
    rounds(hospital, spool, 1)
    assert spool.steps()[0].reported
    assert spool.refusals() == []
    with pytest.raises(NotFoundError):
        spool.drop(step.uid)
    publish(spool)
    assert (tmp_path / "set-aside").read_text() == ""


def test_an_end_that_is_given_up_is_told_no_more(hospital: Hospital, spool: Spool) -> None:
    step = ended(hospital, spool)
    hospital.ris.end_status = 0x0124
    rounds(hospital, spool, MOST_REFUSALS)
    spool.drop(step.uid)
    hospital.ris.end_status = 0
    rounds(hospital, spool, 2)
    assert hospital.ris.ends == MOST_REFUSALS
    assert spool.refusals(SET_ASIDE) == []
    assert len(spool.instances(step.uid)) == 1, "its images are not given up with it"


@pytest.mark.parametrize("status", [0x0110, 0x0213])
def test_a_ris_that_cannot_process_an_end_now_sets_nothing_aside(hospital: Hospital, spool: Spool, status: int) -> None:
    ended(hospital, spool)
    hospital.ris.end_status = status
    rounds(hospital, spool, MOST_REFUSALS + 1)
    assert spool.refusals() == []
    assert hospital.ris.ends == MOST_REFUSALS + 1


def test_a_commitment_that_the_archive_refuses_for_good_is_set_aside_and_the_files_are_kept(
    hospital: Hospital, spool: Spool
) -> None:
    step = stored(hospital, spool)
    hospital.archive.action_status = 0x0124
    rounds(hospital, spool, MOST_REFUSALS + 2)
    assert [(refusal.step, refusal.what) for refusal in spool.refusals(SET_ASIDE)] == [(step.uid, "commit")]
    assert len(spool.transactions(step.uid)) == MOST_REFUSALS
    assert all(spool.path(instance.uid).exists() for instance in spool.instances(step.uid))


# --- storage commitment -----------------------------------------------------------------------


@pytest.mark.parametrize("same_association", [False, True])
def test_files_are_deleted_only_when_the_archive_has_committed(
    listening: Hospital, spool: Spool, *, same_association: bool
) -> None:
    listening.archive.same_association = same_association
    step = stored(listening, spool)
    paths = [spool.path(instance.uid) for instance in spool.instances(step.uid)]
    assert all(path.exists() for path in paths)
    transaction = deliver.request_commitment(listening.links, spool, step)
    assert transaction is not None
    assert commitment.wait_for(spool, transaction, 5.0) == COMMITTED
    assert not any(path.exists() for path in paths)
    wait_until(lambda: listening.archive.answers == [0], "the archive's report was not answered")


def test_the_association_stays_until_a_report_on_it_is_answered(
    listening: Hospital, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = commitment.accept

    def slowly(*report: Any) -> int:
        status = accept(*report)
        time.sleep(0.5)
        return status

    monkeypatch.setattr(commitment, "accept", slowly)
    listening.archive.same_association = True
    deliver.request_commitment(listening.links, spool, stored(listening, spool))
    wait_until(lambda: listening.archive.answers, "the archive's report was not answered")
    assert listening.archive.answers == [0]


def test_what_the_archive_will_not_answer_for_is_sent_again(listening: Hospital, spool: Spool) -> None:
    step = stored(listening, spool)
    lost = spool.instances(step.uid)[0].uid
    listening.archive.lost = {lost}
    transaction = deliver.request_commitment(listening.links, spool, step)
    assert transaction is not None
    assert commitment.wait_for(spool, transaction, 5.0) == "failed"
    assert [instance.uid for instance in spool.instances(step.uid, [ACQUIRED])] == [lost]
    assert spool.instances(step.uid, [ACQUIRED])[0].error == "no such object instance"
    assert spool.path(lost).exists()
    listening.archive.lost = set()
    courier = deliver.Courier(lambda: listening.links, spool)

    def committed() -> bool:
        courier.round()
        return {instance.state for instance in spool.instances(step.uid)} == {COMMITTED}

    wait_until(committed, "the images were not committed")


def test_a_request_without_an_answer_is_made_again_and_either_answer_counts(
    listening: Hospital, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening.archive.silent = True
    step = stored(listening, spool)
    courier = deliver.Courier(lambda: listening.links, spool)
    courier.round()
    courier.round()
    assert len(listening.archive.requests) == 1
    monkeypatch.setattr(deliver, "ANSWER_SECONDS", 0.0)
    courier.round()
    assert len(listening.archive.requests) == 2
    listening.archive.answer(listening.archive.requests[0])
    assert {instance.state for instance in spool.instances(step.uid)} == {COMMITTED}


def test_a_stranger_cannot_make_the_modality_forget_images(listening: Hospital, spool: Spool) -> None:
    listening.archive.silent = True
    step = stored(listening, spool)
    deliver.request_commitment(listening.links, spool, step)
    with pytest.raises(AssociationRejectedError):
        listening.archive.answer(listening.archive.requests[0], calling="VNA1")
    assert {instance.state for instance in spool.instances(step.uid)} == {STORED}


def test_a_report_that_is_not_exactly_the_answer_is_refused_and_changes_nothing(
    hospital: Hospital, spool: Spool
) -> None:
    hospital.archive.silent = True
    step = stored(hospital, spool)
    transaction = deliver.request_commitment(hospital.links, spool, step)
    assert transaction is not None
    event_type, good = hospital.archive.report(hospital.archive.requests[0])

    unknown = Dataset.from_json(good.to_json())
    unknown.TransactionUID = "2.25.1"
    fewer = Dataset.from_json(good.to_json())
    del fewer.ReferencedSOPSequence[0]
    other = Dataset.from_json(good.to_json())
    other.ReferencedSOPSequence[0].ReferencedSOPInstanceUID = "2.25.2"
    wrong = [("PACSRAD", unknown), ("VNA1", good), ("PACSRAD", fewer), ("PACSRAD", other), ("PACSRAD", Dataset())]
    assert [commitment.accept(spool, peer, event_type, report) for peer, report in wrong] == [0x0115] * 5
    assert commitment.accept(spool, "PACSRAD", 3, good) == 0x0113
    assert {instance.state for instance in spool.instances(step.uid)} == {STORED}
    assert all(spool.path(instance.uid).exists() for instance in spool.instances(step.uid))

    assert commitment.accept(spool, "PACSRAD", event_type, good) == 0
    assert commitment.accept(spool, "PACSRAD", event_type, good) == 0, "it is answered as it was"
    assert commitment.accept(spool, "VNA1", event_type, good) == 0x0115
    assert commitment.accept(spool, "PACSRAD", event_type, fewer) == 0x0115, "an answer counts once"


def test_a_refused_request_leaves_the_images_where_they_are(hospital: Hospital, spool: Spool) -> None:
    step = stored(hospital, spool)
    hospital.archive.action_status = 0x0124
    with pytest.raises(RefusedError, match="0x0124"):
        deliver.request_commitment(hospital.links, spool, step)
    assert {instance.state for instance in spool.instances(step.uid)} == {STORED}


def test_one_process_delivers_at_a_time(tmp_path: Path) -> None:
    first, second = Spool(tmp_path), Spool(tmp_path)
    with first.delivering(wait=True) as mine, second.delivering(wait=False) as theirs:
        assert mine
        assert not theirs
    with second.delivering(wait=False) as theirs:
        assert theirs
