"""People see in the viewer what they may see, after they have signed in, and nothing else; refusals are on record."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from lab.hospital.archive import Archive
from lab.hospital.collected import Collected
from lab.hospital.hospital import Hospital
from lab.hospital.modality import Modality
from lab.hospital.record import Record
from lab.hospital.ris import Ris
from lab.hospital.viewer import Viewer, callers
from lab.scenarios.examination.course import CT_HEAD, ECHO, scheduled

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.hospital.record import Procedure
    from lab.hospital.viewer import Opened

RADIOLOGIST, TECHNOLOGIST, REGISTRAR = "a.rivera", "m.haddad", "r.silva"
SESSION = "/gateway/session"
STUDIES = "/dicom-web/studies?includefield=PatientID"
DICOM_JSON = {"Accept": "application/dicom+json"}
FORGED = {
    "X-Pacslab-Person": "s.moreau",
    "X-Pacslab-Roles": "radiologist",
    "X-Pacslab-Department": "Cardiology",
    "X-Pacslab-Session": "forged",
    "OIDC_groups": "radiologist",
    "OIDC-groups": "radiologist",
}
TRICKS = (
    "/dicom-web/studies%2F1.2",
    "/dicom-web/studies//1.2/metadata",
    "/dicom-web/studies/%2e%2e/studies",
    "/dicom-web/studies;a=b",
    "/dicom-web/wado?requestType=WADO",
    "/dicom-web/studies/1.2/rendered",
)
AWAY = 20.0


@dataclass(frozen=True)
class Reading:
    """A radiologist who has opened the viewer, an examination of the radiologist's own department, and another one."""

    viewer: Viewer
    opened: Opened
    collected: Collected
    mark: dict[str, int]
    own: str
    foreign: str

    def told(self, action: str, **keys: Any) -> dict[str, Any] | None:
        """The event with these keys at the collector."""
        line = self.collected.wait(self.viewer.host, self.mark, timeout=20, action=action, **keys)
        return line["data"] if line else None

    def ask(self, *wishes: Any, **rest: Any) -> list[Any]:
        """Ask in the radiologist's session."""
        return self.viewer.ask(self.opened.session, *wishes, **rest)


def examined(hospital: Hospital, procedure: Procedure) -> str:
    """The study of a new patient's examination."""
    record = Record.of(hospital)
    patient = record.register("Viewer", procedure.code.title()).patient.identifier
    placed = record.order(patient, procedure)
    assert placed.accession is not None
    found = scheduled(hospital, Ris.of(hospital).show(placed.accession).procedure)
    Modality(hospital, found.station).perform("acquire", found.accession, "--images", "2", "--matrix", "64")
    return found.study


def secondary_capture(patient: str, study: str, accession: str) -> Dataset:
    """A small picture that belongs to a study."""
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID = SecondaryCaptureImageStorage
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID = generate_uid(prefix=None)
    image.StudyInstanceUID, image.SeriesInstanceUID = study, generate_uid(prefix=None)
    image.PatientID, image.PatientName, image.AccessionNumber = patient, "Viewer^Added", accession
    image.Modality, image.ConversionType = "OT", "WSD"
    image.Rows = image.Columns = 8
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.PixelData = bytes(64)
    return image


@pytest.fixture(scope="module")
def reading(clone: Lab) -> Reading:
    """The radiologist, reading."""
    hospital, collected, viewer = Hospital(clone), Collected(clone), Viewer.of(clone)
    mark = collected.mark(viewer.host)
    own, foreign = examined(hospital, CT_HEAD), examined(hospital, ECHO)
    return Reading(viewer, viewer.open(RADIOLOGIST, "/", SESSION), collected, mark, own, foreign)


def test_a_radiologist_signs_in_and_gets_the_viewer(reading: Reading) -> None:
    opened = reading.opened
    assert (opened.asked, opened.signed_in) == (True, True), opened
    page, session = opened.answers
    assert (page.status, session.status) == (200, 200)
    assert "OHIF" in page.text
    assert (session.json["person"], session.json["roles"]) == (RADIOLOGIST, ["radiologist"])
    cookies = [cookie.lower().split("; ") for cookie in opened.cookies if cookie.startswith("__Host-viewer=")]
    assert all({"path=/", "secure", "httponly"} <= set(given) for given in cookies)
    # Lax while the sign-on sends the browser back; Strict from the first request on.
    assert {given[-1] for given in cookies} == {"samesite=lax", "samesite=strict"}


def test_the_study_list_has_what_the_radiologist_may_see_and_nothing_else(reading: Reading) -> None:
    answer, metadata = reading.ask(STUDIES, f"/dicom-web/studies/{reading.own}/metadata", headers=DICOM_JSON)
    assert (answer.status, metadata.status) == (200, 200), (answer.text, metadata.text)
    studies = {entry["0020000D"]["Value"][0] for entry in answer.json}
    assert reading.own in studies
    assert reading.foreign not in studies
    assert answer.head["cache-control"] == metadata.head["cache-control"] == "no-store"
    assert reading.told("person-searches", person=RADIOLOGIST, outcome="success") is not None


def test_a_study_of_others_is_refused_by_its_number_and_on_record_with_the_person(reading: Reading) -> None:
    number = reading.foreign
    for answer in reading.ask(f"/dicom-web/studies/{number}/metadata", f"/dicom-web/studies/{number}/series"):
        assert answer.status == 403, answer
        assert number not in answer.text
    assert reading.told("person-views", person=RADIOLOGIST, study=number, outcome="refused", reason="no-relation")
    (searched,) = reading.ask(f"{STUDIES}&StudyInstanceUID={number}")
    assert searched.json == []


def test_whoever_has_not_signed_in_gets_no_images(reading: Reading) -> None:
    for head in ({}, FORGED):
        page, images = reading.viewer.ask("", "/", STUDIES, headers=head)
        assert (page.status, images.status) == (401, 401)
        assert "sign in" in page.text
    (sent,) = reading.viewer.ask("", "/", headers={"Cookie": "__Host-sign-in=now"})
    assert sent.status == 302
    assert sent.head["location"].startswith(f"{reading.viewer.sign_on.address}/oauth2/authorize?")
    assert reading.told("request", outcome="refused", reason="not-signed-in", path="/dicom-web/studies") is not None


def test_what_a_browser_says_of_itself_changes_nothing(reading: Reading) -> None:
    session, study = reading.ask(SESSION, f"/dicom-web/studies/{reading.foreign}/metadata", headers=FORGED)
    assert (session.status, session.json["person"], session.json["department"]) == (200, RADIOLOGIST, "Radiology")
    assert study.status == 403


@pytest.mark.parametrize("path", TRICKS)
def test_a_path_that_is_none_of_dicomweb_leads_nowhere(reading: Reading, path: str) -> None:
    (answer,) = reading.ask(path)
    assert answer.status in {400, 403, 404}, answer


def test_a_session_is_worth_nothing_in_another_browser_or_at_another_address(reading: Reading) -> None:
    (browser,) = reading.ask(STUDIES, headers={"User-Agent": "another browser"})
    assert browser.status == 401
    others = {flow.source for flow in callers(reading.viewer.lab)}
    other = min(others - {reading.viewer.sign_on.caller, reading.viewer.sign_on.host})
    (place,) = reading.ask(STUDIES, caller=other)
    assert place.status == 401
    assert reading.told("person-searches", person=RADIOLOGIST, outcome="refused", reason="other-browser") is not None
    assert reading.ask(STUDIES)[0].status == 200


def test_a_session_stays_where_it_began_when_the_gateway_starts_again(reading: Reading) -> None:
    viewer = reading.viewer
    again = viewer.lab.run(viewer.host, ["systemctl", "restart", "pacslab-gateway.service"])
    assert again.code == 0, again.stderr
    (stolen,) = reading.ask(SESSION, headers={"User-Agent": "another browser"})
    assert stolen.status == 401
    assert reading.told("use-session", person=RADIOLOGIST, outcome="refused", reason="other-browser") is not None
    assert reading.ask(SESSION)[0].status == 200


def added(reading: Reading, session: str, study: str) -> tuple[str, Any]:
    """Add an image to a study through the viewer; its UID, and the answer."""
    archive = Archive(reading.viewer.lab, Hospital(reading.viewer.lab).host("primary-archive"))
    (found, *_) = archive.instances(reading.own)
    image = secondary_capture(found.tag("PatientID"), study, found.tag("AccessionNumber"))
    written = io.BytesIO()
    image.save_as(written, enforce_file_format=True)
    mark = b"--part-of-it"
    body = mark + b"\r\nContent-Type: application/dicom\r\n\r\n" + written.getvalue() + b"\r\n" + mark + b"--\r\n"
    kind = 'multipart/related; type="application/dicom"; boundary=part-of-it'
    head = {"Content-Type": kind, "Origin": reading.viewer.address, "Sec-Fetch-Site": "same-origin"}
    wish = {"address": "/dicom-web/studies", "method": "POST", "headers": head, "octets": body.hex()}
    (answer,) = reading.viewer.ask(session, wish, headers=DICOM_JSON)
    return str(image.SOPInstanceUID), answer


def stored(reading: Reading, instance: str) -> int:
    """How many objects of a UID the primary archive has."""
    lab = reading.viewer.lab
    return len(Archive(lab, Hospital(lab).host("primary-archive")).find("Instance", SOPInstanceUID=instance))


def test_a_technologist_adds_an_image_to_a_study_of_the_own_department(reading: Reading) -> None:
    opened = reading.viewer.enter(TECHNOLOGIST, SESSION)
    assert opened.session, opened
    instance, answer = added(reading, opened.session, reading.own)
    assert answer.status == 200, answer
    assert instance in answer.text
    assert stored(reading, instance) == 1
    assert reading.told("person-adds", person=TECHNOLOGIST, study=reading.own, outcome="success") is not None


def test_a_radiologist_adds_nothing(reading: Reading) -> None:
    instance, answer = added(reading, reading.opened.session, reading.own)
    assert answer.status == 403, answer
    assert stored(reading, instance) == 0
    refused = {"outcome": "refused", "reason": "not-permitted", "method": "POST", "path": "/dicom-web/studies"}
    assert reading.told("request", person=RADIOLOGIST, **refused) is not None


def test_who_may_not_view_at_all_is_not_let_in(reading: Reading) -> None:
    identity = reading.viewer.sign_on.host
    mark = reading.collected.mark(identity)
    opened = reading.viewer.open(REGISTRAR, SESSION)
    assert (opened.asked, opened.session) == (True, ""), opened
    assert opened.answers[0].status == 302  # to the sign-on, again
    assert reading.collected.wait(
        identity, mark, timeout=20, action="authorize", outcome="refused", reason="role", person=REGISTRAR
    )


def test_signing_out_ends_the_session(reading: Reading) -> None:
    viewer, opened = reading.viewer, reading.opened
    viewer.sign_out(opened.session)
    deadline = time.monotonic() + AWAY
    while viewer.ask(opened.session, SESSION)[0].status != 401 and time.monotonic() < deadline:
        time.sleep(0.5)
    assert [answer.status for answer in viewer.ask(opened.session, SESSION, STUDIES)] == [401, 401]
