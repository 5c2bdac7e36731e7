"""The order filler keeps what archives tell of their own objects, and believes nobody else (RAD-49)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from simulators.association import associate, contexts
from simulators.database import URL_VARIABLE
from simulators.ris import views
from simulators.ris.availability import NOTIFICATION
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import loopback_peer
from tests.unit.simulators.ris.hospital import Ris

if TYPE_CHECKING:
    from collections.abc import Iterator

CT = "1.2.840.10008.5.1.4.1.1.2"


@pytest.fixture
def ris(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Ris]:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    made = Ris()
    made.register()
    made.order()
    yield made
    made.close()


def told(study: str, *instances: str, state: str = "ONLINE", ae_title: str = "PACS-RAD") -> Dataset:
    """What an archive tells of objects in one series."""
    references = []
    for instance in instances:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CT, instance
        reference.InstanceAvailability, reference.RetrieveAETitle = state, ae_title
        references.append(reference)
    series, content = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = "2.25.2", references
    content.ReferencedPerformedProcedureStepSequence = []
    content.StudyInstanceUID, content.ReferencedSeriesSequence = study, [series]
    return content


def notify(ris: Ris, content: Dataset, uid: str = "2.25.7", calling: str = "PACS-RAD") -> int:
    ris.serve()
    with associate(loopback_peer(ris.port), contexts([NOTIFICATION]), calling=calling, tls=None) as association:
        return int(association.send_n_create(content, NOTIFICATION, uid)[0].Status)


def kept(ris: Ris) -> list[tuple[str, str, str]]:
    rows = ris.rows("SELECT * FROM instances ORDER BY sop_instance_uid, ae_title")
    return [(row["sop_instance_uid"], row["ae_title"], row["availability"]) for row in rows]


def shown(ris: Ris) -> Any:
    return views.show(argparse.Namespace(accession="A0000001"), ris.settings).data


def test_what_an_archive_has_is_shown_with_the_order_and_what_is_missing(
    ris: Ris, events: list[dict[str, Any]]
) -> None:
    study = ris.procedure()["study_uid"]
    ris.begin()
    made = Dataset()
    made.SeriesInstanceUID, made.ReferencedImageSequence = "2.25.2", []
    for uid in ("2.25.11", "2.25.12", "2.25.13"):
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CT, uid
        made.ReferencedImageSequence.append(reference)
    assert ris.end(PerformedSeriesSequence=[made]) == 0
    assert shown(ris)["missing"] == ["2.25.11", "2.25.12", "2.25.13"]
    assert notify(ris, told(study, "2.25.11", "2.25.12")) == 0
    assert notify(ris, told(study, "2.25.11", ae_title="VNA1"), "2.25.8", "VNA1") == 0
    data = shown(ris)
    assert [(row["ae_title"], row["instances"], row["unavailable"]) for row in data["availability"]] == [
        ("PACS-RAD", 2, 0),
        ("VNA1", 1, 0),
    ]
    assert data["missing"] == ["2.25.13"]
    about = {"action": "notify-availability", "transaction": "RAD-49", "accession": "A0000001", "study": study}
    assert {**about, "outcome": "success", "ae_title": "PACS-RAD", "instances": 2}.items() <= events[-2].items()


def test_what_an_archive_has_no_more_is_not_there(ris: Ris) -> None:
    study = ris.procedure()["study_uid"]
    assert notify(ris, told(study, "2.25.11", "2.25.12")) == 0
    assert notify(ris, told(study, "2.25.11", state="UNAVAILABLE"), "2.25.8") == 0
    (row,) = shown(ris)["availability"]
    assert (row["instances"], row["unavailable"]) == (1, 1)


def test_a_scanner_may_tell_of_nothing(ris: Ris, events: list[dict[str, Any]]) -> None:
    content = told(ris.procedure()["study_uid"], "2.25.11", ae_title="CT1")
    assert notify(ris, content, calling="CT1") == 0x0124
    assert kept(ris) == []
    refused = {"action": "notify-availability", "outcome": "refused", "reason": "not-permitted", "operation": "IAN"}
    assert {**refused, "ae_title": "CT1", "peer": "ct1"}.items() <= events[-1].items()


def test_an_archive_tells_of_its_own_objects_alone(ris: Ris, events: list[dict[str, Any]]) -> None:
    study = ris.procedure()["study_uid"]
    mixed = told(study, "2.25.11")
    mixed.ReferencedSeriesSequence.extend(told(study, "2.25.12", ae_title="VNA1").ReferencedSeriesSequence)
    assert notify(ris, mixed) == 0x0124
    assert kept(ris) == []
    refused = {"action": "notify-availability", "outcome": "refused", "reason": "foreign-availability"}
    assert {**refused, "ae_title": "PACS-RAD", "status": "0x0124"}.items() <= events[-1].items()


def test_an_archive_performs_no_step(ris: Ris) -> None:
    assert ris.begin(calling="PACS-RAD") == 0x0124


def test_the_same_notification_counts_once_and_another_under_its_uid_is_refused(
    ris: Ris, events: list[dict[str, Any]]
) -> None:
    study = ris.procedure()["study_uid"]
    assert notify(ris, told(study, "2.25.11")) == 0
    assert notify(ris, told(study, "2.25.11", state="UNAVAILABLE"), "2.25.8") == 0
    assert notify(ris, told(study, "2.25.11")) == 0
    assert events[-1]["repeated"] is True
    assert kept(ris) == [("2.25.11", "PACS-RAD", "UNAVAILABLE")], "what was told since is not undone"
    assert notify(ris, told(study, "2.25.12")) == 0x0111
    assert notify(ris, told(study, "2.25.11", ae_title="VNA1"), calling="VNA1") == 0x0111
    assert kept(ris) == [("2.25.11", "PACS-RAD", "UNAVAILABLE")]


def without(content: Dataset, name: str) -> Dataset:
    for item in (
        content,
        content.ReferencedSeriesSequence[0],
        content.ReferencedSeriesSequence[0][(0x0008, 0x1199)][0],
    ):
        if name in item:
            delattr(item, name)
            break
    return content


@pytest.mark.parametrize(
    "name",
    [
        "StudyInstanceUID", "ReferencedSeriesSequence", "SeriesInstanceUID", "ReferencedSOPSequence",
        "ReferencedSOPClassUID", "ReferencedSOPInstanceUID", "InstanceAvailability", "RetrieveAETitle",
    ],
)  # fmt: skip
def test_what_a_notification_cannot_do_without_is_asked_for(ris: Ris, name: str) -> None:
    assert notify(ris, without(told("2.25.1", "2.25.11"), name)) == 0x0120
    assert kept(ris) == []


def test_a_value_that_means_nothing_is_refused(ris: Ris) -> None:
    assert notify(ris, told("2.25.1", "2.25.11", state="SOMEWHERE")) == 0x0106
    assert notify(ris, told("2.25.1", "2.25.11"), uid="1..2") == 0x0117
    assert notify(ris, told("2.25.1")) == 0x0121
    assert kept(ris) == []


def test_a_study_that_nobody_ordered_is_kept_too(ris: Ris) -> None:
    assert notify(ris, told("2.25.99", "2.25.11")) == 0
    assert shown(ris)["availability"] == []
    assert len(kept(ris)) == 1
