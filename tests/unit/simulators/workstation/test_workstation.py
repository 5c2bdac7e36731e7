"""A workstation finds, retrieves and adds objects, and trusts no name that comes from the network."""

from __future__ import annotations

import http.server
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from simulators.errors import ArgumentError, NotFoundError, RefusedError, UnreachableError
from simulators.hl7content import Envelope, report_message
from simulators.hl7content import report_of as report_of_message
from simulators.hl7messages import Party, parse
from simulators.imaging.ct import ct_series
from simulators.imaging.derived import key_objects, measurement_report
from simulators.imaging.report import ReportText, text_report
from simulators.imaging.roi import Circle, measure
from simulators.settings import Peer
from simulators.workstation import query, retrieve, web
from simulators.workstation.desk import Desk
from simulators.workstation.folder import Folder, checked_uid
from simulators.workstation.keep import keep
from simulators.workstation.pending import PendingObjects
from simulators.workstation.reading import reports_on
from simulators.workstation.study import open_study
from simulators.workstation.submit import patient_of, report_of
from tests.unit.simulators.imaging.study import AUTHOR, context, ramp
from tests.unit.simulators.workstation.archive import CT, FakeArchive, archive_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def archive() -> Iterator[tuple[FakeArchive, Desk]]:
    with archive_of(CT, ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]) as made:
        yield made


# --- names from the network -------------------------------------------------------------------


@pytest.mark.parametrize(
    "uid", ["../../etc/passwd", "1.2/3", "1.2\\3", "", ".", "..", "1.2\x003", "1" * 65, "1.2.x", "\uff11"]
)
def test_a_uid_that_is_not_one_is_refused(uid: str) -> None:
    with pytest.raises(RefusedError):
        checked_uid(uid)


def test_nothing_is_written_outside_the_folder(archive: tuple[FakeArchive, Desk], tmp_path: Path) -> None:
    fake, desk = archive
    fake.held = fake.held[:1]
    fake.held[0].SeriesInstanceUID = "../../outside"
    with pytest.raises(RefusedError, match="outside"):
        retrieve.retrieve(desk, Folder(tmp_path / "in" / "folder"), study="2.25.4711")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    with pytest.raises(RefusedError):
        Folder(tmp_path / "web").add_bytes(b"\0" * 128 + b"DICM")
    assert list((tmp_path / "web").iterdir()) == []


# --- query and retrieve -----------------------------------------------------------------------


def test_studies_series_and_images_are_found(archive: tuple[FakeArchive, Desk]) -> None:
    _, desk = archive
    (study,) = query.find(desk, "STUDY", {"AccessionNumber": "ACC1"})
    assert query.facts(study)["PatientName"] == "Müller^Änne"
    (series,) = query.find(desk, "SERIES", {"StudyInstanceUID": "2.25.4711"})
    keys = {"StudyInstanceUID": "2.25.4711", "SeriesInstanceUID": series.SeriesInstanceUID}
    assert len(query.find(desk, "IMAGE", keys)) == 3
    assert query.find(desk, "STUDY", {"AccessionNumber": "OTHER"}) == []


def test_a_study_is_retrieved_as_it_was_stored(archive: tuple[FakeArchive, Desk], tmp_path: Path) -> None:
    fake, desk = archive
    folder = Folder(tmp_path)
    retrieve.retrieve(desk, folder, study="2.25.4711")
    assert len(folder.paths) == 3
    for path, held in zip(folder.paths, fake.held, strict=True):
        assert dcmread(path) == held
        assert path == tmp_path / held.StudyInstanceUID / held.SeriesInstanceUID / f"{held.SOPInstanceUID}.dcm"
    with pytest.raises(NotFoundError):
        retrieve.retrieve(desk, folder, study="2.25.1")


IMAGES_OF = {
    "CR": "1",
    "DX": "1.1",
    "MG": "1.2",
    "XA": "12.1",
    "NM": "20",
    "PT": "128",
    "enhanced CT": "2.1",
    "enhanced MR": "4.1",
    "enhanced PET": "130",
    "SEG": "66.4",
    "RT structures": "481.3",
    "RT dose": "481.2",
    "RT plan": "481.5",
}


@pytest.mark.parametrize("kind", IMAGES_OF)
def test_every_kind_of_object_that_is_read_can_be_retrieved(kind: str, tmp_path: Path) -> None:
    sop_class = f"1.2.840.10008.5.1.4.1.1.{IMAGES_OF[kind]}"
    with archive_of(sop_class, ["1.2.840.10008.1.2.1"]) as (fake, desk):
        for held in fake.held:
            held.SOPClassUID = held.file_meta.MediaStorageSOPClassUID = sop_class
        folder = Folder(tmp_path / "got")
        retrieve.retrieve(desk, folder, study="2.25.4711")
        assert [dcmread(path).SOPClassUID for path in folder.paths] == [sop_class] * len(fake.held)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90"])
def test_compressed_images_come_as_they_are_kept(syntax: str, tmp_path: Path) -> None:
    pixels = encapsulate([b"\xff\xd8 no decoder looks at this \xff\xd9"])
    with archive_of(CT, [syntax]) as (fake, desk):
        for held in fake.held:
            held.PixelData, held.file_meta.TransferSyntaxUID = pixels, UID(syntax)
            held["PixelData"].VR, held["PixelData"].is_undefined_length = "OB", True
            held.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
        folder = Folder(tmp_path / "got")
        retrieve.retrieve(desk, folder, study="2.25.4711")
        got = [dcmread(path) for path in folder.paths]
    assert {image.file_meta.TransferSyntaxUID for image in got} == {syntax}
    assert all(image.PixelData == pixels for image in got)


def test_what_a_workstation_proposes_has_room_in_one_association() -> None:
    proposed = retrieve._contexts()  # noqa: SLF001 # what no public name tells
    assert len(proposed) <= 128  # PS3.8 9.3.2.2: odd identifiers from 1 to 255


def test_a_study_opens_with_its_middle_image_or_the_one_named(archive: tuple[FakeArchive, Desk]) -> None:
    fake, desk = archive
    opened = open_study(desk, accession="ACC1", study="")
    assert opened.image == fake.held[1]
    assert {instance.SOPInstanceUID for instance in opened.instances} == {
        instance.SOPInstanceUID for instance in fake.held
    }
    last = fake.held[2].SOPInstanceUID
    assert open_study(desk, accession="", study="2.25.4711", instance=last).image.SOPInstanceUID == last
    with pytest.raises(NotFoundError):
        open_study(desk, accession="OTHER", study="")
    with pytest.raises(ArgumentError):
        open_study(desk, accession="", study="")


# --- what is added ----------------------------------------------------------------------------


def test_what_is_stored_is_looked_up_afterwards(archive: tuple[FakeArchive, Desk], tmp_path: Path) -> None:
    fake, desk = archive
    pending = PendingObjects(tmp_path)
    note = key_objects([fake.held[0]], AUTHOR, description="x", number=1)
    kept = keep(desk, pending, note, "RAD-29")
    assert kept["SOPInstanceUID"] == fake.held[-1].SOPInstanceUID == note.SOPInstanceUID
    fake.forgets = True
    with pytest.raises(RefusedError, match="does not find it"):
        keep(desk, pending, key_objects([fake.held[0]], AUTHOR, description="x", number=1), "RAD-29")
    assert pending.all() == []


def test_an_object_the_archive_does_not_take_is_said_to_be_refused_and_given_up(
    archive: tuple[FakeArchive, Desk], tmp_path: Path
) -> None:
    fake, desk = archive
    pending = PendingObjects(tmp_path)
    image = fake.held[0].copy()
    image.SOPClassUID = image.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    with pytest.raises((RefusedError, UnreachableError)):
        keep(desk, pending, image, "RAD-19")
    fake.status = 0xC113
    with pytest.raises(RefusedError, match="0xC113"):
        keep(desk, pending, key_objects([fake.held[0]], AUTHOR, description="x", number=1), "RAD-29")
    assert pending.all() == []


def test_a_report_names_patient_order_and_author_in_hl7() -> None:
    image = next(ct_series(context(), ramp()))
    document = text_report([image], AUTHOR, ReportText("a", "b", verified=True), number=904)
    patient = patient_of(document, "reference")
    assert (patient.identifier, patient.authority, patient.family, patient.given) == (
        "P0001",
        "HOSPITAL",
        "Müller",
        "Änne",
    )
    report = report_of(document, author="a.rivera", text="a\nb", status="F")
    assert (report.accession, report.study_uid, report.status) == ("ACC1", "2.25.4711", "F")
    assert (report.code.value, report.author) == ("CTHEAD", "a.rivera")
    envelope = Envelope(Party("WS", "S"), Party("RIS1", "S"), "1")
    message = parse(report_message(envelope, patient, report).encode())
    assert (message.get("OBR", 18), message.get("OBR", 25)) == ("ACC1", "F")
    observed = [
        (
            message.get("OBX", 2, occurrence=n),
            message.get("OBX", 3, 2, occurrence=n),
            message.get("OBX", 5, occurrence=n),
        )
        for n in range(1, message.count("OBX") + 1)
    ]
    assert observed == [
        ("HD", "SR Instance UID", document.SOPInstanceUID),
        ("HD", "Study Instance UID", "2.25.4711"),
        ("HD", "Series Instance UID", document.SeriesInstanceUID),
        ("TX", "Diagnostic imaging report", "a"),
        ("TX", "Diagnostic imaging report", "b"),
    ]
    assert report_of_message(message) == report


def test_a_correction_names_the_reports_that_it_corrects(archive: tuple[FakeArchive, Desk]) -> None:
    fake, desk = archive
    image = fake.held[0]
    with pytest.raises(NotFoundError, match="no report"):
        reports_on(desk, "2.25.4711")
    first = text_report([image], AUTHOR, ReportText("a", "b", verified=True), number=904)
    circle = Circle(20, 16, 5)
    measured = measurement_report(
        image, AUTHOR, circle=circle, statistics=measure(image, circle), label="1", number=903
    )
    fake.held += [measured, first]
    corrected = reports_on(desk, "2.25.4711")
    second = text_report([image], AUTHOR, ReportText("c", "d", verified=True), number=904, corrected=corrected)
    (study,) = second.PredecessorDocumentsSequence
    (series,) = study.ReferencedSeriesSequence
    (named,) = series.ReferencedSOPSequence
    assert (study.StudyInstanceUID, series.SeriesInstanceUID) == ("2.25.4711", first.SeriesInstanceUID)
    assert named.ReferencedSOPInstanceUID == first.SOPInstanceUID


# --- DICOMweb ---------------------------------------------------------------------------------


class Web(http.server.BaseHTTPRequestHandler):
    """Answers with what the test put into the class."""

    status = 200
    kind = "application/dicom+json"
    body = b""
    asked: str = ""

    def do_GET(self) -> None:
        """Answer as told."""
        type(self).asked = self.path
        self.send_response(self.status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site() -> Iterator[tuple[type[Web], Desk]]:
    handler = type("Handler", (Web,), {})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    with ExitStack() as stack:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        peer = Peer("pacs-rad", "localhost", "127.0.0.1", "PACSRAD", (), "dicomweb-tls", server.server_port, ())
        yield handler, Desk("WSRAD1", peer, None)
    server.server_close()


def test_qido_answers_become_plain_values(site: tuple[type[Web], Desk]) -> None:
    handler, desk = site
    handler.body = (
        b'[{"00080050":{"vr":"SH","Value":["ACC1"]},"00100010":{"vr":"PN","Value":[{"Alphabetic":"Doe^Jane"}]},'
        b'"00080061":{"vr":"CS","Value":["CT","SR"]},"0020000D":{"vr":"UI","Value":["2.25.1"]}}]'
    )
    (match,) = web.search(desk, "SERIES", {"StudyInstanceUID": "2.25.1", "Modality": "CT"})
    assert match["PatientName"] == "Doe^Jane"
    assert match["ModalitiesInStudy"] == "CT\\SR"
    assert handler.asked.startswith("/dicom-web/studies/2.25.1/series?Modality=CT&includefield=")
    handler.status, handler.body = 204, b""
    assert web.search(desk, "STUDY", {}) == []


def test_wado_parts_become_files(site: tuple[type[Web], Desk], tmp_path: Path) -> None:
    handler, desk = site
    images = list(ct_series(context(), ramp(2)))
    handler.kind = 'multipart/related; type="application/dicom"; boundary=abc'
    handler.body = b""
    for number, image in enumerate(images):
        image.save_as(tmp_path / f"{number}", enforce_file_format=True)
        handler.body += (
            b"--abc\r\nContent-Type: application/dicom\r\n\r\n" + (tmp_path / f"{number}").read_bytes() + b"\r\n"
        )
    handler.body += b"--abc--\r\n"
    folder = Folder(tmp_path / "out")
    web.retrieve(desk, folder, study="2.25.4711")
    assert [path.read_bytes() for path in folder.paths] == [(tmp_path / f"{number}").read_bytes() for number in (0, 1)]


@pytest.mark.parametrize(
    ("status", "error"), [(403, RefusedError), (404, NotFoundError), (429, RefusedError), (500, RefusedError)]
)
def test_http_refusals_are_told_apart(site: tuple[type[Web], Desk], status: int, error: type[Exception]) -> None:
    handler, desk = site
    handler.status = status
    with pytest.raises(error):
        web.search(desk, "STUDY", {})


def test_a_peer_that_is_away_is_unreachable() -> None:
    peer = Peer("pacs-rad", "localhost", "127.0.0.1", "PACSRAD", (), "dicomweb-tls", 9, ())
    with pytest.raises(UnreachableError):
        web.search(Desk("WSRAD1", peer, None), "STUDY", {})
