"""A workstation with a proxy in its paths to archive and RIS: what it adds is there once, what it reads is whole."""

from __future__ import annotations

import argparse
import http.server
import json
import threading
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread

from simulators.errors import ArgumentError, NoAnswerError, NotFoundError, RefusedError, UnreachableError
from simulators.hl7content import report_of
from simulators.hl7messages import Problem, acknowledgement, parse
from simulators.imaging.derived import key_objects, measurement_report, presentation_state
from simulators.imaging.report import ReportText, text_report
from simulators.imaging.roi import Circle, measure
from simulators.mllp import Listener
from simulators.person.acting import NOBODY
from simulators.workstation import query, reading, retrieve, verbs, web
from simulators.workstation.desk import Desk
from simulators.workstation.folder import Folder
from simulators.workstation.keep import keep
from simulators.workstation.keep import send as send_object
from simulators.workstation.pending import PendingObjects
from tests.unit.simulators.cutting import Cut, dicom_proxy, hl7_proxy, http_proxy
from tests.unit.simulators.imaging.study import AUTHOR
from tests.unit.simulators.peers import RIS, WORKSTATION_SETTINGS, free_port
from tests.unit.simulators.workstation.archive import CT, FakeArchive, archive_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

    from simulators.proxy_protocol import Sender
    from tests.unit.simulators.cutting import Proxy

STUDY = "2.25.4711"
CIRCLE = Circle(20, 16, 5)
CUTS = pytest.mark.parametrize("cuts", [*([cut] for cut in Cut), [*Cut]], ids=[*(cut.name for cut in Cut), "all"])


class Room:
    """A workstation, the archive, and the proxy between them."""

    def __init__(self, fake: FakeArchive, desk: Desk, proxy: Proxy, folder: Path) -> None:
        """Take them."""
        self.fake, self.proxy = fake, proxy
        self.desk = replace(desk, archive=replace(desk.archive, port=proxy.port))
        self.pending = PendingObjects(folder / "objects")

    def held(self, document: Dataset) -> int:
        """Return how often the archive has an object."""
        return [one.SOPInstanceUID for one in self.fake.held].count(document.SOPInstanceUID)


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Room]:
    for module in ("keep", "pending"):
        monkeypatch.setattr(f"simulators.workstation.{module}.PAUSE_SECONDS", 0.0)
    with (
        archive_of(CT, ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2"]) as (fake, desk),
        dicom_proxy(desk.archive.port) as proxy,
    ):
        yield Room(fake, desk, proxy, tmp_path)


ADDING: dict[str, Callable[[Dataset], Dataset]] = {
    "RAD-19": lambda image: presentation_state(image, AUTHOR, text="x", circle=CIRCLE, number=901),
    "RAD-24": lambda image: text_report([image], AUTHOR, ReportText("f", "i", verified=True), number=904),
    "RAD-29": lambda image: key_objects([image], AUTHOR, description="x", number=902),
    "RAD-43": lambda image: measurement_report(
        image, AUTHOR, circle=CIRCLE, statistics=measure(image, CIRCLE), label="1", number=903
    ),
}


@CUTS
@pytest.mark.parametrize("transaction", ADDING)
def test_an_object_is_stored_once_wherever_it_is_cut(room: Room, transaction: str, cuts: list[Cut]) -> None:
    document = ADDING[transaction](room.fake.held[0])
    room.proxy.cuts = [*cuts]
    assert keep(room.desk, room.pending, document, transaction)["SOPInstanceUID"] == document.SOPInstanceUID
    assert room.proxy.made == cuts
    assert room.held(document) == 1
    assert room.pending.all() == []


@CUTS
def test_an_object_whose_looking_up_is_cut_is_no_second_object(room: Room, cuts: list[Cut]) -> None:
    document = ADDING["RAD-29"](room.fake.held[0])
    room.proxy.cuts = [None, *cuts]
    keep(room.desk, room.pending, document, "RAD-29")
    assert room.proxy.made == cuts
    assert (room.held(document), room.fake.received) == (1, [document.SOPInstanceUID])


def test_an_object_that_an_archive_has_and_does_not_answer_for_is_sent_again_as_the_same(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulators.workstation.keep.SECONDS", 0.0)
    document = ADDING["RAD-29"](room.fake.held[0])
    room.proxy.cuts = [Cut.ANSWER]
    with pytest.raises(NoAnswerError, match="may have"):
        keep(room.desk, room.pending, document, "RAD-29")
    (kept,) = room.pending.all()
    assert (kept.archive, kept.transaction, kept.study) == ("pacs-rad", "RAD-29", STUDY)
    assert room.held(document) == 1
    send_object(room.desk, room.pending, kept)
    assert room.held(document) == 1
    assert room.pending.all() == []


def test_an_archive_that_goes_away_after_it_was_sent_an_object_is_sent_the_same(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, calls = Desk.open, []

    def away_the_second_time(desk: Desk, *arguments: Any, **options: Any) -> Any:
        calls.append(desk)
        if len(calls) == 2:
            raise UnreachableError("no connection", remedy="Wait.")
        return opened(desk, *arguments, **options)

    monkeypatch.setattr(Desk, "open", away_the_second_time)
    document = ADDING["RAD-29"](room.fake.held[0])
    room.proxy.cuts = [Cut.ANSWER]
    keep(room.desk, room.pending, document, "RAD-29")
    assert (room.held(document), room.fake.received) == (1, [document.SOPInstanceUID] * 2)


def test_an_archive_that_is_away_keeps_nobody_waiting_and_nothing_is_kept(room: Room) -> None:
    away = replace(room.desk, archive=replace(room.desk.archive, port=free_port()))
    with pytest.raises(UnreachableError):
        keep(away, room.pending, ADDING["RAD-29"](room.fake.held[0]), "RAD-29")
    assert room.pending.all() == []


@CUTS
def test_a_query_that_is_cut_says_so_and_may_be_asked_again(room: Room, cuts: list[Cut]) -> None:
    room.proxy.cuts = [*cuts]
    for _ in cuts:
        with pytest.raises(UnreachableError):
            query.find(room.desk, "STUDY", {"AccessionNumber": "ACC1"})
    assert room.proxy.made == cuts
    assert len(query.find(room.desk, "STUDY", {"AccessionNumber": "ACC1"})) == 1


@CUTS
def test_a_retrieval_that_is_cut_says_so_and_leaves_whole_objects_alone(
    room: Room, tmp_path: Path, cuts: list[Cut]
) -> None:
    room.proxy.cuts = [*cuts]
    for number, _ in enumerate(cuts):
        folder = Folder(tmp_path / f"{number}")
        with pytest.raises(UnreachableError):
            retrieve.retrieve(room.desk, folder, study=STUDY)
        held = {image.SOPInstanceUID: image for image in room.fake.held}
        assert all(dcmread(path) == held[path.stem] for path in folder.root.rglob("*.*"))
    assert room.proxy.made == cuts
    folder = Folder(tmp_path / "0")
    retrieve.retrieve(room.desk, folder, study=STUDY)
    assert len([path for path in folder.root.rglob("*") if path.is_file()]) == len(room.fake.held)


def test_a_folder_apart_goes_when_what_was_to_be_in_it_did_not_come(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verbs, "HOME", tmp_path)
    monkeypatch.setattr(verbs, "desk_of", lambda *_: room.desk)
    wanted = {"accession": "ACC1", "study": "", "series": "", "instance": "", "archive": None, "web": False, "to": None}
    room.proxy.cuts = [None, Cut.ANSWER]  # the study is found first
    with pytest.raises(UnreachableError):
        verbs.get(argparse.Namespace(**wanted, apart=True), WORKSTATION_SETTINGS)
    assert list(tmp_path.glob("apart-*")) == []
    got = verbs.get(argparse.Namespace(**wanted, apart=True), WORKSTATION_SETTINGS)
    assert got.data["instances"] == len(room.fake.held)


# --- DICOMweb ---------------------------------------------------------------------------------


class Web(http.server.BaseHTTPRequestHandler):
    """Answers with what the test put into the class."""

    kind, body, length = "application/dicom+json", b"", True

    def do_GET(self) -> None:
        """Answer in one piece."""
        length = f"Content-Length: {len(self.body)}\r\n" if self.length else ""
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {self.kind}\r\n{length}Connection: close\r\n\r\n"
        self.wfile.write(head.encode() + self.body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def site(room: Room) -> Iterator[tuple[type[Web], Desk, Proxy]]:
    handler = type("Handler", (Web,), {})
    server = http.server.HTTPServer(("127.0.0.1", 0), handler)
    with ExitStack() as stack:
        stack.callback(server.server_close)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        stack.callback(thread.join)
        stack.callback(server.shutdown)
        proxy = stack.enter_context(http_proxy(server.server_port))
        archive = replace(room.desk.archive, service="dicomweb-tls", fqdn="localhost", port=proxy.port)
        yield handler, replace(room.desk, archive=archive), proxy


LENGTH = pytest.mark.parametrize("length", [True, False], ids=["with its length", "until it ends"])


@LENGTH
@CUTS
def test_a_search_that_is_cut_says_so_and_may_be_asked_again(
    site: tuple[type[Web], Desk, Proxy], cuts: list[Cut], *, length: bool
) -> None:
    handler, desk, proxy = site
    handler.length = length
    handler.body = json.dumps([{"00080050": {"vr": "SH", "Value": ["ACC1"]}}] * 20).encode()
    proxy.cuts = [*cuts]
    for _ in cuts:
        with pytest.raises(UnreachableError):
            web.search(desk, "STUDY", {"AccessionNumber": "ACC1"})
    assert proxy.made == cuts
    assert [match["AccessionNumber"] for match in web.search(desk, "STUDY", {})] == ["ACC1"] * 20


@LENGTH
@CUTS
def test_objects_that_do_not_come_to_their_end_are_not_taken_for_whole(
    site: tuple[type[Web], Desk, Proxy], room: Room, tmp_path: Path, cuts: list[Cut], *, length: bool
) -> None:
    handler, desk, proxy = site
    handler.length, handler.kind = length, 'multipart/related; type="application/dicom"; boundary=abc'
    for number, image in enumerate(room.fake.held):
        image.save_as(tmp_path / f"{number}", enforce_file_format=True)
        handler.body += (
            b"--abc\r\nContent-Type: application/dicom\r\n\r\n" + (tmp_path / f"{number}").read_bytes() + b"\r\n"
        )
    handler.body += b"--abc--\r\n"
    proxy.cuts = [*cuts]
    folder = Folder(tmp_path / "out")
    for _ in cuts:
        with pytest.raises(UnreachableError):
            web.retrieve(desk, folder, study=STUDY)
        assert list(folder.root.iterdir()) == []
    assert proxy.made == cuts
    web.retrieve(desk, folder, study=STUDY)
    assert len(folder.paths) == len(room.fake.held)


# --- reports ----------------------------------------------------------------------------------


class Ris:
    """Takes reports, each once by its control id."""

    def __init__(self) -> None:
        """Refuse nothing at first."""
        self.taken: dict[str, Any] = {}
        self.problem: Problem | None = None

    def answer(self, data: bytes, _: Sender) -> list[bytes]:
        """Answer one message."""
        message = parse(data)
        if self.problem is None:
            self.taken[message.control_id] = report_of(message)
        return [acknowledgement(message, RIS, self.problem)]


@pytest.fixture
def reporting(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Ris, Proxy, Callable[[], Any]]]:
    """The RIS, the proxy before it, and what reports on the study."""
    monkeypatch.setattr(verbs, "HOME", tmp_path)
    monkeypatch.setattr("simulators.workstation.pending.client_context", lambda *_: None)
    monkeypatch.setattr(reading, "desk_of", lambda *_: room.desk)
    ris = Ris()
    listener = Listener(0, ris.answer, behind_proxy=False)
    listener.start()
    arguments = argparse.Namespace(
        accession="ACC1", study=None, instance=None, archive=None, acting=NOBODY, preliminary=False,
        correction=False, findings="f", impression="i",
    )  # fmt: skip
    with hl7_proxy(listener.server_address[1]) as proxy:
        peers = (replace(WORKSTATION_SETTINGS.peers[0], port=proxy.port), *WORKSTATION_SETTINGS.peers[1:])
        settings = replace(WORKSTATION_SETTINGS, peers=peers)
        yield ris, proxy, lambda verb=reading.report: verb(arguments, settings)  # type: ignore[misc]
    listener.stop()


@CUTS
def test_a_report_and_its_document_are_there_once_wherever_they_are_cut(
    room: Room, reporting: tuple[Ris, Proxy, Callable[..., Any]], cuts: list[Cut]
) -> None:
    ris, proxy, run = reporting
    before = [None] * 4  # the study is found and its image fetched
    room.proxy.cuts, proxy.cuts = [*before, *cuts], [*cuts]
    done = run().data
    assert (room.proxy.made, proxy.made) == (cuts, cuts)
    (taken,) = ris.taken.values()
    assert taken.instance_uid == done["stored"]["SOPInstanceUID"]
    assert [one.SOPInstanceUID for one in room.fake.held].count(taken.instance_uid) == 1


def test_a_report_whose_document_is_not_answered_for_goes_to_the_ris_after_it_and_not_twice(
    room: Room, reporting: tuple[Ris, Proxy, Callable[..., Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    ris, _, run = reporting
    monkeypatch.setattr("simulators.workstation.keep.SECONDS", 0.0)
    room.proxy.cuts = [None, None, None, None, Cut.ANSWER]
    with pytest.raises(NoAnswerError):
        run()
    assert ris.taken == {}
    with pytest.raises(ArgumentError, match="has not been answered"):
        run()
    done = run(reading.submit_pending).data
    assert len(done["stored"]) == len(done["submitted"]) == 1
    (taken,) = ris.taken.values()
    assert taken.instance_uid == done["stored"][0]["SOPInstanceUID"]
    assert room.fake.received == [taken.instance_uid] * 2
    assert run(reading.submit_pending).data == {"stored": [], "submitted": []}


def test_a_report_whose_document_is_refused_is_none(
    room: Room, reporting: tuple[Ris, Proxy, Callable[..., Any]]
) -> None:
    ris, _, run = reporting
    room.fake.status = 0xC113
    with pytest.raises(RefusedError):
        run()
    assert run(reading.submit_pending).data == {"stored": [], "submitted": []}
    assert ris.taken == {}
    room.fake.held.clear()
    with pytest.raises(NotFoundError):
        run()
