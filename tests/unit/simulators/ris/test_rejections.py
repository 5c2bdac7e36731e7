"""Images are rejected at the RIS by two people, one who asks and one who grants, and archives are told (RAD-66)."""

from __future__ import annotations

import argparse
import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread
from pynetdicom import evt

from simulators.access.denied import DeniedError
from simulators.access.policy import Scope
from simulators.association import contexts, start_scp
from simulators.command_line import parser_of
from simulators.database import URL_VARIABLE
from simulators.errors import ArgumentError, NotFoundError
from simulators.person.acting import NOBODY, SignedIn
from simulators.rejections import KEY_OBJECT_SELECTION
from simulators.relations.departments import Departments
from simulators.ris import cli, rejecting, relations, views
from simulators.ris.note_sender import NoteSender
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import ANNA, free_port, peer
from tests.unit.simulators.ris.hospital import Ris
from tests.unit.simulators.ris.test_availability import notify, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydicom.dataset import Dataset

    from simulators.settings import Settings

IMAGES = ("2.25.11", "2.25.12")
STATIONS = {"CT1": "Radiology", "CT2": "Radiology", "MR1": "Neurology"}


def person(name: str, department: str = "Radiology") -> SignedIn:
    """Somebody who may do this in a department."""
    return SignedIn(name, name.partition(".")[2].title(), "Test", department, (), Scope.DEPARTMENT)


ASKER, AUTHORISER, STRANGER = person("m.haddad"), person("q.lindqvist"), person("s.moreau", "Cardiology")


@dataclass
class Archive:
    """An archive that takes notes, or answers with a status."""

    port: int
    status: int = 0xB000
    taken: list[Dataset] = field(default_factory=list)

    def store(self, event: Any) -> int:
        """C-STORE."""
        if self.status in {0, 0xB000}:
            self.taken.append(event.dataset)
        return self.status


@pytest.fixture
def ris(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Ris]:
    """A RIS with a procedure of which pacs-rad has two images."""
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    monkeypatch.setattr(relations, "load_departments", lambda: Departments({}, STATIONS))
    made = Ris()
    made.register()
    made.order()
    assert notify(made, told(made.procedure()["study_uid"], *IMAGES)) == 0
    yield made
    made.close()


@pytest.fixture
def archive() -> Iterator[Archive]:
    made = Archive(free_port())
    server = start_scp("PACS-RAD", made.port, contexts([KEY_OBJECT_SELECTION]), [(evt.EVT_C_STORE, made.store)])
    yield made
    server.shutdown()


def settings_of(ris: Ris, archive: Archive | None = None) -> Settings:
    """The settings of a RIS from which flows lead to three archives."""
    ports = {"pacs-rad": archive.port if archive else 9, "pacs-card": 9, "vna1": 9}
    parsed = [
        replace(ris.settings.peers[0], **{
            key: value for key, value in peer(name, "dicom-tls", "orthanc", ["REJECTION"], port).items()
            if key not in {"roles", "permits"}
        }, roles=("orthanc",), permits=("REJECTION",), functions=("long-term-archive",) if name == "vna1" else ())
        for name, port in ports.items()
    ]  # fmt: skip
    return replace(ris.settings, peers=(*ris.settings.peers, *parsed))


def run(verb: str, acting: Any, settings: Settings, *words: str) -> Any:
    """Run a verb of the command as somebody."""
    arguments = parser_of("pacslab-ris", "", cli.VERBS).parse_args([verb, *words])
    arguments.acting = acting
    function = {
        "request-rejection": rejecting.ask,
        "authorise-rejection": rejecting.authorise,
        "refuse-rejection": rejecting.refuse,
        "rejections": rejecting.listing,
    }[verb]
    return function(arguments, settings).data


BLURRED = ("A0000001", "--reason", "quality", "--issue", "motion-blur", "--text", "moved")


def states(ris: Ris) -> list[tuple[str, dict[str, str]]]:
    rows = run("rejections", NOBODY, ris.settings)
    return [(row["state"], {told["archive"]: told["state"] for told in row["archives"]}) for row in rows]


def test_one_asks_another_grants_and_every_archive_that_may_have_them_is_told(
    ris: Ris, archive: Archive, events: list[dict[str, Any]]
) -> None:
    settings = settings_of(ris, archive)
    asked = run("request-rejection", ASKER, settings, *BLURRED)["rejection"]
    assert (asked["state"], asked["asked_by"], asked["instances"]) == ("asked", "m.haddad", list(IMAGES))
    granted = run("authorise-rejection", AUTHORISER, settings, str(asked["id"]))["rejection"]
    assert granted["decided_by"] == "q.lindqvist"
    assert states(ris) == [("granted", {"pacs-rad": "waiting", "vna1": "waiting"})]
    sender = NoteSender(settings, ris.database, secure=False)
    (radiology,) = settings.find_peers("dicom-tls", name="pacs-rad")
    assert sender.send_next(radiology)
    assert not sender.send_next(radiology)
    assert states(ris) == [("granted", {"pacs-rad": "taken", "vna1": "waiting"})]
    (note,) = archive.taken
    assert note.ConceptNameCodeSequence[0].CodeValue == "113001"
    assert (note.PatientID, str(note.PatientName), note.StudyInstanceUID) == (
        ANNA.identifier, "Weber^Anna", ris.procedure()["study_uid"],
    )  # fmt: skip
    (evidence,) = note.CurrentRequestedProcedureEvidenceSequence
    rejected = [item for series in evidence.ReferencedSeriesSequence for item in series.ReferencedSOPSequence]
    assert [item.ReferencedSOPInstanceUID for item in rejected] == list(IMAGES)
    content = {item.ConceptNameCodeSequence[0].CodeValue: item for item in note.ContentSequence}
    assert content["113011"].ConceptCodeSequence[0].CodeValue == "111210"
    assert content["121008"].PersonName == "Lindqvist^Test"
    assert content["113012"].TextValue == "moved\nAsked for by m.haddad"
    told_of = [(event["action"], event["outcome"], event.get("person")) for event in events]
    assert ("reject-images", "success", "q.lindqvist") in told_of
    ris.execute("UPDATE rejection_notes SET state = 'taken'")
    assert [state for state, _ in states(ris)] == ["done"]
    shown = views.show(argparse.Namespace(accession="A0000001"), ris.settings).data
    assert [row["id"] for row in shown["rejections"]] == [asked["id"]]


def test_what_was_rejected_is_missing_nowhere(ris: Ris) -> None:
    settings = settings_of(ris)
    number = run("request-rejection", ASKER, settings, *BLURRED)["rejection"]["id"]
    run("authorise-rejection", AUTHORISER, settings, str(number))
    ris.execute("UPDATE instances SET availability = 'UNAVAILABLE'")
    ris.execute(
        "INSERT INTO performed_steps (sop_instance_uid, performed_id, accession, station_ae, status, attributes) VALUES"
        " ('2.25.9', 'P', 'A0000001', 'CT1', 'COMPLETED', '{\"00400340\": {\"Value\": [{\"00081140\": {\"Value\":"
        ' [{"00081155": {"Value": ["2.25.11"]}}, {"00081155": {"Value": ["2.25.99"]}}]}}]}}\')'
    )
    shown = views.show(argparse.Namespace(accession="A0000001"), ris.settings).data
    assert shown["missing"] == ["2.25.99"]


@pytest.mark.parametrize("name", ["m.haddad", "M.Haddad"])
@pytest.mark.parametrize("verb", ["authorise-rejection", "refuse-rejection"])
def test_who_asks_never_decides_whatever_roles_the_person_has(ris: Ris, name: str, verb: str) -> None:
    settings = settings_of(ris)
    number = run("request-rejection", ASKER, settings, *BLURRED)["rejection"]["id"]
    with pytest.raises(DeniedError) as refused:
        run(verb, person(name), settings, str(number))
    assert refused.value.reason.word == "own-request"
    assert states(ris) == [("asked", {})]


def test_a_person_of_another_department_neither_asks_nor_decides(ris: Ris) -> None:
    settings = settings_of(ris)
    with pytest.raises(DeniedError) as refused:
        run("request-rejection", STRANGER, settings, *BLURRED)
    assert refused.value.reason.word == "no-relation"
    number = run("request-rejection", ASKER, settings, *BLURRED)["rejection"]["id"]
    for verb in ("authorise-rejection", "refuse-rejection"):
        with pytest.raises(DeniedError):
            run(verb, STRANGER, settings, str(number))
    assert states(ris) == [("asked", {})]


def test_a_refusal_changes_nothing_but_is_kept_with_its_reason(ris: Ris) -> None:
    settings = settings_of(ris)
    number = run("request-rejection", ASKER, settings, *BLURRED)["rejection"]["id"]
    refused = run("refuse-rejection", AUTHORISER, settings, str(number), "--text", "good enough")["rejection"]
    assert (refused["state"], refused["why"], refused["archives"]) == ("refused", "good enough", [])
    assert ris.rows("SELECT * FROM rejection_notes") == []
    again = run("request-rejection", ASKER, settings, *BLURRED)["rejection"]
    assert (again["id"], again["state"]) == (number + 1, "asked")


def test_single_objects_and_series_can_be_meant(ris: Ris) -> None:
    settings = settings_of(ris)
    one = run("request-rejection", ASKER, settings, *BLURRED, "--instance", IMAGES[1])["rejection"]
    assert one["instances"] == [IMAGES[1]]
    run("refuse-rejection", AUTHORISER, settings, str(one["id"]))
    assert run("request-rejection", ASKER, settings, *BLURRED, "--series", "2.25.2")["rejection"]["instances"] == [
        *IMAGES
    ]


@pytest.mark.parametrize(
    ("words", "error", "match"),
    [
        (("A0000009", *BLURRED[1:]), NotFoundError, "no accession number"),
        ((*BLURRED, "--instance", "2.25.404"), NotFoundError, "2.25.404"),
        (("A0000001", "--reason", "quality"), ArgumentError, "--issue"),
        (("A0000001", "--reason", "patient-safety", "--issue", "motion-blur"), ArgumentError, "--issue"),
        ((*BLURRED[:-1], "a\x1bb"), ArgumentError, "text"),
        ((*BLURRED[:-1], "x" * 300), ArgumentError, "text"),
    ],
)
def test_what_cannot_be_asked_is_said_clearly(
    ris: Ris, words: Sequence[str], error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        run("request-rejection", ASKER, settings_of(ris), *words)
    assert states(ris) == []


def test_a_procedure_without_images_or_with_a_request_that_waits_is_not_asked_about(ris: Ris) -> None:
    settings = settings_of(ris)
    run("request-rejection", ASKER, settings, *BLURRED)
    with pytest.raises(ArgumentError, match="not decided"):
        run("request-rejection", ASKER, settings, *BLURRED)
    ris.execute("DELETE FROM rejections")
    ris.execute("UPDATE instances SET availability = 'UNAVAILABLE'")
    with pytest.raises(NotFoundError, match="no archive"):
        run("request-rejection", ASKER, settings, *BLURRED)


def test_nothing_is_decided_twice_nor_without_archive_nor_where_it_is_unknown(ris: Ris) -> None:
    settings = settings_of(ris)
    number = str(run("request-rejection", ASKER, settings, *BLURRED)["rejection"]["id"])
    with pytest.raises(NotFoundError, match="no rejection"):
        run("authorise-rejection", AUTHORISER, settings, "99")
    with pytest.raises(ArgumentError, match="no archive"):
        run("authorise-rejection", AUTHORISER, ris.settings, number)
    run("authorise-rejection", AUTHORISER, settings, number)
    for verb in ("authorise-rejection", "refuse-rejection"):
        with pytest.raises(ArgumentError, match=r"was granted by q\.lindqvist"):
            run(verb, AUTHORISER, settings, number)


@pytest.mark.parametrize("verb", ["request-rejection", "authorise-rejection", "refuse-rejection"])
def test_where_nobody_signs_in_nobody_rejects(ris: Ris, verb: str) -> None:
    words = BLURRED if verb == "request-rejection" else ("1",)
    with pytest.raises(ArgumentError, match="nobody signs in"):
        run(verb, NOBODY, settings_of(ris), *words)


def test_a_note_that_an_archive_does_not_take_is_tried_until_it_does(
    ris: Ris, archive: Archive, events: list[dict[str, Any]]
) -> None:
    settings = settings_of(ris, archive)
    number = str(run("request-rejection", ASKER, settings, *BLURRED)["rejection"]["id"])
    run("authorise-rejection", AUTHORISER, settings, number)
    sender = NoteSender(settings, ris.database, secure=False)
    radiology, vna = (settings.find_peers("dicom-tls", name=name)[0] for name in ("pacs-rad", "vna1"))
    archive.status = 0x0124
    assert sender.send_next(radiology)
    assert sender.send_next(vna)
    assert not sender.send_next(radiology)
    archives = run("rejections", NOBODY, ris.settings)[0]["archives"]
    assert [(told["attempts"], "0x0124" in told["error"]) for told in archives] == [(1, True), (1, False)]
    assert [event["outcome"] for event in events if event["action"] == "reject-images"] == ["refused", "waiting"]
    archive.status = 0xB000
    ris.execute("UPDATE rejection_notes SET next_try = now()")
    assert sender.send_next(radiology)
    assert states(ris)[0][1]["pacs-rad"] == "taken"
    first = dcmread(io.BytesIO(ris.rows("SELECT note FROM rejections")[0]["note"]))
    assert archive.taken[0].SOPInstanceUID == first.SOPInstanceUID
