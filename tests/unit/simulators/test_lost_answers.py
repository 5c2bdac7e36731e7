"""Scenario 1 with a proxy in every path that cuts each transaction: nothing is lost, nothing has its effect twice."""

from __future__ import annotations

import argparse
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pynetdicom import evt

from simulators.association import contexts, start_scp
from simulators.database import URL_VARIABLE, Database
from simulators.ehr import orders, patients
from simulators.ehr.receive import order_status, result
from simulators.ehr.record import STEPS, Record
from simulators.errors import NoAnswerError, UnreachableError
from simulators.hl7content import Code, Envelope, Report, report_message
from simulators.hl7exchange import TransactionalInbox
from simulators.hl7messages import new_control_id
from simulators.hl7receiver import Receiver
from simulators.image_manager import inbox
from simulators.image_manager.inbox import StoredInbox
from simulators.mllp import Listener
from simulators.modality import acquisition, deliver, worklist
from simulators.modality.links import Links
from simulators.modality.server import listen
from simulators.modality.spool import ACQUIRED, COMMITTED, COMPLETED, Spool
from simulators.outbox import Attempt, Outbox
from simulators.person.acting import NOBODY
from simulators.settings import Peer, parse
from simulators.workstation.pending import PendingReport, PendingReports
from tests.unit.simulators.cutting import Cut, dicom_proxy, hl7_proxy
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.image_manager.test_image_manager import Manager
from tests.unit.simulators.modality.peers import CT, open_hospital
from tests.unit.simulators.peers import ANNA, RIS, WORKSTATION, caller, peer, ris_settings, sender
from tests.unit.simulators.ris.hospital import Ris
from tests.unit.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.unit.simulators.cutting import Proxy

PERSON = {"family": "Weber", "given": "Anna", "birth_date": "19700412", "sex": "F"}
HEAD = {"code": "CTHEAD", "text": "CT head", "scheme": "99L", "modality": "CT", "priority": "R", "reason": ""}


class Hospital:
    """EHR, RIS, image manager, archive, scanner and workstation, with a proxy in each path between two of them."""

    def __init__(
        self, stack: ExitStack, folder: Path, schemas: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Start all of them; `schemas` has the database of the EHR and of the RIS."""
        for module in ("outbox", "workstation.pending"):
            monkeypatch.setattr(f"simulators.{module}.client_context", lambda *_: None)  # loopback, without TLS
        monkeypatch.setattr("simulators.workstation.pending.PAUSE_SECONDS", 0.0)
        self._schemas, self._patch, self._stack = schemas, monkeypatch, stack
        self.proxies: dict[str, Proxy] = {}
        self.use("ris")
        self.ris = Ris()
        self.ris.serve()
        stack.callback(self.ris.close)
        for name in ("ehr1", "ws-rad1"):
            self._hl7(f"{name} to ris1", self.ris.receiver, name)
        self._start_ehr()
        self._start_scanner(folder)
        self._start_image_manager(folder)
        self.pending = PendingReports(folder / "reports")
        ports = {"ehr1": self.proxies["ris1 to ehr1"].port, "pacs-rad": self.proxies["ris1 to pacs-rad"].port}
        self.ris_outbox = Outbox(self.ris.settings, self.ris.database)
        self.told_by_ris = [
            replace(known, port=ports[known.name])
            for known in self.ris.settings.find_peers("hl7-tls")
            if known.name in ports
        ]

    def use(self, who: str) -> None:
        """Let databases that are opened from now on be one of the two."""
        self._patch.setenv(URL_VARIABLE, self._schemas[who])

    def _hl7(self, path: str, receiver: Receiver, name: str) -> None:
        listener = Listener(0, lambda data, _: receiver.answer(data, sender(name)), behind_proxy=False)
        listener.start()
        self._stack.callback(listener.stop)
        self.proxies[path] = self._stack.enter_context(hl7_proxy(listener.server_address[1]))

    def _start_ehr(self) -> None:
        self.use("ehr")
        self.ehr_settings = parse(
            {
                "host": {"name": "ehr1", "fqdn": "ehr1.imaging.internal", "address": "127.0.0.1"},
                "site": {"name": "reference", "domain": "imaging.internal"},
                "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
                "listen": {},
                "peers": [peer("ris1", "hl7-tls", "ris", ["ORM^O01"], self.proxies["ehr1 to ris1"].port)],
                "callers": [caller("ris1", "hl7-tls", ["ORM^O01", "ORU^R01"])],
            }
        )
        self.ehr = Database(self.ehr_settings)
        self.ehr.migrate(STEPS)
        takes = {"ORM^O01": order_status, "ORU^R01": result}
        inboxes = {kind: TransactionalInbox(self.ehr, work, lambda: None) for kind, work in takes.items()}
        self._hl7("ris1 to ehr1", Receiver(self.ehr_settings, inboxes), "ris1")

    def _start_image_manager(self, folder: Path) -> None:
        self.vna = Vna()
        server = start_scp("VNA1", 0, contexts([CT]), [(evt.EVT_C_STORE, self.vna.store)])
        self._stack.callback(server.shutdown)
        for path, port in {"pacs-rad to vna1": server.server_address[1], "pacs-rad to ris1": self.ris.port}.items():
            self.proxies[path] = self._stack.enter_context(dicom_proxy(port))
        filler = Peer("ris1", "ris1", "127.0.0.1", "RIS1", (), "dicom", self.proxies["pacs-rad to ris1"].port, ())
        (folder / "manager").mkdir()
        self.beside = Manager(folder / "manager", "vna1", filler=filler, ae_title="PACS-RAD")
        vna = Peer("vna1", "vna1", "127.0.0.1", "VNA1", (), "dicom", self.proxies["pacs-rad to vna1"].port, ())
        self.beside.orthanc.peers["vna1"] = vna
        self.manager = self.beside.store
        settings = replace(
            ris_settings(),
            host=replace(self.ris.settings.host, name="pacs-rad"),
            callers=parse_callers(caller("ris1", "hl7-tls", ["ORM^O01", "ADT^A08", "ADT^A40"])),
        )
        takes = {"ORM^O01": inbox.procedures, "ADT^A08": inbox.update, "ADT^A40": inbox.merge}
        inboxes = {kind: StoredInbox(self.manager, work, lambda: None) for kind, work in takes.items()}
        self._hl7("ris1 to pacs-rad", Receiver(settings, inboxes), "ris1")

    def _start_scanner(self, folder: Path) -> None:
        (folder / "scanner").mkdir()
        self.spool = Spool(folder / "scanner")
        server = listen(self.spool, "CT1", 0, ["PACSRAD"])
        self._stack.callback(server.shutdown)
        fake = open_hospital(self._stack)
        self._stack.callback(fake.stop_archive)
        self.archive = fake.archive
        for path, port in {
            "ct1 to ris1": self.ris.port,
            "ct1 to pacs-rad": fake.links.archive.port,
            "pacs-rad to ct1": server.server_address[1],
        }.items():
            self.proxies[path] = self._stack.enter_context(dicom_proxy(port))
        self.archive.modality_port = self.proxies["pacs-rad to ct1"].port
        ris = Peer("ris1", "ris1", "127.0.0.1", "RIS1", (), "dicom", self.proxies["ct1 to ris1"].port, ())
        self.links = Links(
            "CT1", "CT", ris, replace(fake.links.archive, port=self.proxies["ct1 to pacs-rad"].port), None
        )

    @contextmanager
    def cutting(self, path: str, cuts: list[Cut], *, all_of_them: bool = True) -> Iterator[None]:
        """Cut the next connections of a path, and make sure that they were."""
        proxy = self.proxies[path]
        proxy.cuts, proxy.made = list(cuts), []
        yield
        assert proxy.made == cuts[: len(proxy.made)]
        assert not proxy.cuts if all_of_them else proxy.made, f"{path}: {proxy.made} instead of {cuts}"
        proxy.cuts = []

    def ehr_does(self, verb: Callable[..., Any], **arguments: Any) -> Any:
        """Run a verb of the record, and then let its service deliver what waits."""
        self.use("ehr")
        done = verb(argparse.Namespace(acting=NOBODY, **arguments), self.ehr_settings)
        record = Record(self.ehr_settings)
        while record.outbox.deliver_next(record.ris, due=False) is not Attempt.NOTHING:
            pass
        return done

    def ris_tells(self, name: str) -> None:
        """Let the RIS's service deliver to one peer."""
        (target,) = [known for known in self.told_by_ris if known.name == name]
        while self.ris_outbox.deliver_next(target, due=False) is not Attempt.NOTHING:
            pass

    def recorded(self, query: str) -> list[dict[str, Any]]:
        """Return what the record holds."""
        with self.ehr.transaction() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def managed(self, table: str) -> list[dict[str, Any]]:
        """Return what the image manager holds."""
        with self.manager.transaction() as db:
            return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]  # noqa: S608 - names of our own

    def archived(self) -> None:
        """Let the archive's images settle."""
        self.beside.orthanc.store(*self.archive.stored.values())
        while self.beside.follower.follow():
            pass

    def manager_works(self, worker: Any, table: str) -> None:
        """Let a worker of the image manager try until nothing of a queue waits."""

        def done() -> bool:
            self.beside.no_pause()
            worker.run_due()
            return all(row["done"] == row["asked"] for row in self.managed(table))

        wait_until(done, f"{table} still wait")


class Vna:
    """Takes objects, each once; ``received`` has every C-STORE."""

    def __init__(self) -> None:
        """Hold nothing."""
        self.held: dict[str, bytes] = {}
        self.received: list[str] = []

    def store(self, event: Any) -> int:
        """C-STORE."""
        uid = str(event.request.AffectedSOPInstanceUID)
        self.received.append(uid)
        self.held.setdefault(uid, event.dataset.PixelData)
        return 0


def parse_callers(*callers: dict[str, object]) -> Any:
    """Callers as settings have them."""
    data = {
        "host": {"name": "x", "fqdn": "x", "address": "x"},
        "site": {"name": "x", "domain": "x"},
        "tls": {"ca": "x", "crl": "x", "certificates": {}},
        "listen": {},
        "peers": [],
        "callers": list(callers),
    }
    return parse(data).callers


@pytest.fixture
def hospital(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Hospital]:
    schemas = {who: own_schema(server, f"{request.node.name} {who}") for who in ("ehr", "ris")}
    with ExitStack() as stack:
        yield Hospital(stack, tmp_path, schemas, monkeypatch)


@pytest.mark.parametrize("cuts", [*([cut] for cut in Cut), [*Cut]], ids=[*(cut.name for cut in Cut), "all"])
def test_every_transaction_of_an_examination_survives_its_cuts_and_has_its_effect_once(
    hospital: Hospital, cuts: list[Cut]
) -> None:
    with hospital.cutting("ehr1 to ris1", cuts):  # RAD-1
        hospital.ehr_does(patients.register, **PERSON, id=ANNA.identifier, patient_class="O")
    with hospital.cutting("ehr1 to ris1", cuts):  # RAD-2
        hospital.ehr_does(orders.place, patient=ANNA.identifier, **HEAD, wait=0)
    with hospital.cutting("ris1 to pacs-rad", cuts):  # RAD-4
        hospital.ris_tells("pacs-rad")
    with hospital.cutting("ris1 to ehr1", cuts):  # RAD-3
        hospital.ris_tells("ehr1")
    assert [row["status"] for row in hospital.recorded("SELECT status FROM orders")] == ["scheduled"]
    with hospital.cutting("ehr1 to ris1", cuts):  # RAD-2, change
        hospital.ehr_does(orders.change, placer="O0000001", code="CTNECK", text="CT neck", priority=None, reason=None)
    with hospital.cutting("ris1 to pacs-rad", cuts):  # RAD-13, change
        hospital.ris_tells("pacs-rad")
    assert [row["code"] for row in hospital.managed("procedures")] == ["CTNECK"]
    hospital.ris_tells("ehr1")
    assert [row["code"] for row in hospital.recorded("SELECT code FROM orders")] == ["CTNECK"]

    perform(hospital, cuts)
    with hospital.cutting("ris1 to pacs-rad", cuts):  # RAD-13, status
        hospital.ris_tells("pacs-rad")
    assert [row["state"] for row in hospital.managed("procedures")] == ["completed"]
    archive(hospital, cuts)
    hospital.ris_tells("ehr1")
    assert [row["status"] for row in hospital.recorded("SELECT status FROM orders")] == ["performed"]

    with hospital.cutting("ws-rad1 to ris1", cuts):  # RAD-128
        report(hospital)
    with hospital.cutting("ris1 to ehr1", cuts):  # RAD-28
        hospital.ris_tells("ehr1")

    hospital.ehr_does(patients.register, **PERSON, id="P2", patient_class="O")
    with hospital.cutting("ehr1 to ris1", cuts):  # RAD-12, update
        hospital.ehr_does(patients.update, patient="P2", **{**PERSON, "given": "Eva"})
    with hospital.cutting("ris1 to pacs-rad", cuts):
        hospital.ris_tells("pacs-rad")
    with hospital.cutting("ehr1 to ris1", cuts):  # RAD-12, merge
        hospital.ehr_does(patients.merge, prior=ANNA.identifier, into="P2")
    with hospital.cutting("ris1 to pacs-rad", cuts):
        hospital.ris_tells("pacs-rad")

    kinds = "SELECT type, count(*) AS n FROM messages WHERE direction = 'in' GROUP BY type ORDER BY type"
    assert [(row["type"], row["n"]) for row in hospital.ris.rows(kinds)] == [
        ("ADT^A04", 2),
        ("ADT^A08", 1),
        ("ADT^A40", 1),
        ("ORM^O01", 2),
        ("ORU^R01", 1),
    ]
    assert [(row["type"], row["n"]) for row in hospital.recorded(kinds)] == [("ORM^O01", 4), ("ORU^R01", 1)]
    told = ["ADT^A08", "ADT^A40", *["ORM^O01"] * 4]  # RAD-4, and RAD-13: changed, begun, ended
    assert sorted(row["type"] for row in hospital.managed("messages")) == told
    assert [row["status"] for row in hospital.recorded("SELECT status FROM orders")] == ["completed"]
    assert len(hospital.recorded("SELECT * FROM results")) == 1
    assert len(hospital.ris.rows("SELECT * FROM reports")) == 1
    assert [row["patient_id"] for row in hospital.ris.rows("SELECT patient_id FROM procedures")] == ["P2"]
    waiting = "SELECT * FROM messages WHERE direction = 'out' AND peer <> 'vna1' AND state <> 'delivered'"
    assert [*hospital.ris.rows(waiting), *hospital.recorded(waiting)] == []


def perform(hospital: Hospital, cuts: list[Cut]) -> None:
    """RAD-5, RAD-6, RAD-8, RAD-7 and RAD-10, each cut; what a command leaves, the service does."""
    spool, links = hospital.spool, hospital.links
    with hospital.cutting("ct1 to ris1", cuts):  # RAD-5
        for _ in cuts:
            with pytest.raises(UnreachableError):
                worklist.query(links)
        (item,) = worklist.query(links)
    with hospital.cutting("ct1 to ris1", cuts):  # RAD-6
        try:
            begun = acquisition.perform(links, spool, item, commit=True)
        except NoAnswerError:
            begun = patiently(
                lambda: acquisition.begin(links, spool, accession=item.AccessionNumber, step_id="", commit=True)
            )
    assert [(row["status"], row["begun"]) for row in facts_of(spool)] == [("IN PROGRESS", "answered")]
    assert len(hospital.ris.rows("SELECT * FROM performed_steps")) == 1
    acquisition.acquire(links, spool, begun, images=3, phantom=True)
    courier = deliver.Courier(lambda: links, spool)
    with hospital.cutting("ct1 to pacs-rad", cuts):  # RAD-8

        def all_stored() -> bool:
            deliver.store_images(links, spool, spool.instances(begun.uid, [ACQUIRED]))
            return not spool.instances(begun.uid, [ACQUIRED])

        wait_until(all_stored, "the images were not stored")
    assert len(hospital.archive.stored) == 3
    ended = acquisition.end(spool, begun, COMPLETED)
    with hospital.cutting("ct1 to ris1", cuts):  # RAD-7
        patiently(lambda: deliver.report_end(links, spool, ended))
    assert [row["status"] for row in hospital.ris.rows("SELECT status FROM performed_steps")] == ["COMPLETED"]
    # RAD-10, the request: an archive that took it reports, even if its answer was lost, and is asked no more.
    with hospital.cutting("ct1 to pacs-rad", cuts, all_of_them=False):

        def committed() -> bool:
            courier.round()
            return {image.state for image in spool.instances(begun.uid)} == {COMMITTED}

        wait_until(committed, "the images were not committed")


def archive(hospital: Hospital, cuts: list[Cut]) -> None:
    """The image manager's C-STORE to the VNA, and RAD-49, each cut."""
    hospital.archived()
    with hospital.cutting("pacs-rad to vna1", cuts):
        hospital.manager_works(hospital.beside.senders[0], "transfers")
    acquired = {uid: image.PixelData for uid, image in hospital.archive.stored.items()}
    assert hospital.vna.held == acquired
    with hospital.cutting("pacs-rad to ris1", cuts):  # RAD-49
        hospital.manager_works(hospital.beside.notifiers[0], "notifications")
    assert len(hospital.ris.rows("SELECT * FROM notifications")) == 1
    known = hospital.ris.rows("SELECT sop_instance_uid, ae_title, availability FROM instances")
    assert {(row["sop_instance_uid"], row["ae_title"], row["availability"]) for row in known} == {
        (uid, "PACS-RAD", "ONLINE") for uid in acquired
    }


def patiently(act: Callable[[], Any]) -> Any:
    """Do it again as a user or the service would, as long as the peer does not answer."""
    for _ in Cut:
        try:
            return act()
        except NoAnswerError:
            continue
    return act()


def facts_of(spool: Spool) -> list[dict[str, str]]:
    """How far the steps of a spool are."""
    return [{"status": step.status, "begun": step.begun} for step in spool.steps()]


def report(hospital: Hospital) -> None:
    """Submit a report as the workstation does."""
    envelope = Envelope(WORKSTATION, RIS, new_control_id())
    text = Report("A0000001", "", Code("CTHEAD", "CT head", "99L"), "Dr R", "F", "Normal.")
    made = PendingReport(envelope.control_id, "ris1", "A0000001", "", report_message(envelope, ANNA, text))
    ris = replace(hospital.links.ris, port=hospital.proxies["ws-rad1 to ris1"].port)
    assert hospital.pending.submit(hospital.ehr_settings, ris, made)["acknowledgement"] == "AA"
    assert hospital.pending.all() == []


@pytest.mark.parametrize("cut", [Cut.BETWEEN, Cut.ANSWER])
def test_a_commitment_report_whose_answer_is_lost_is_taken_once(hospital: Hospital, cut: Cut) -> None:
    hospital.ehr_does(patients.register, **PERSON, id=ANNA.identifier, patient_class="O")
    hospital.ehr_does(orders.place, patient=ANNA.identifier, **HEAD, wait=0)
    spool, links = hospital.spool, hospital.links
    step = acquisition.begin(links, spool, accession="A0000001", step_id="", commit=True)
    acquisition.acquire(links, spool, step, images=2, phantom=True)
    deliver.store_images(links, spool, spool.instances(step.uid))
    hospital.archive.silent = True
    deliver.request_commitment(links, spool, step)
    (request,) = hospital.archive.requests
    with hospital.cutting("pacs-rad to ct1", [cut]):
        hospital.archive.answer(request)
        hospital.archive.answer(request)
    assert hospital.archive.answers == [None, 0]
    assert {image.state for image in spool.instances(step.uid)} == {COMMITTED}


def test_a_step_that_the_service_begins_again_is_the_same_step(hospital: Hospital) -> None:
    hospital.ehr_does(patients.register, **PERSON, id=ANNA.identifier, patient_class="O")
    hospital.ehr_does(orders.place, patient=ANNA.identifier, **HEAD, wait=0)
    with hospital.cutting("ct1 to ris1", [Cut.ANSWER, Cut.ANSWER]):
        item = worklist.query(replace(hospital.links, ris=replace(hospital.links.ris, port=hospital.ris.port)))[0]
        with pytest.raises(NoAnswerError):
            acquisition.perform(hospital.links, hospital.spool, item, commit=False)
    assert facts_of(hospital.spool) == [{"status": "IN PROGRESS", "begun": "asked"}]
    deliver.Courier(lambda: hospital.links, hospital.spool).round()
    assert facts_of(hospital.spool) == [{"status": "IN PROGRESS", "begun": "answered"}]
    assert len(hospital.ris.rows("SELECT * FROM performed_steps")) == 1


def test_a_step_that_the_ris_refuses_leaves_nothing_in_the_spool(hospital: Hospital) -> None:
    hospital.ehr_does(patients.register, **PERSON, id=ANNA.identifier, patient_class="O")
    hospital.ehr_does(orders.place, patient=ANNA.identifier, **HEAD, wait=0)
    (item,) = worklist.query(hospital.links)
    hospital.ehr_does(orders.cancel, placer="O0000001")
    with hospital.cutting("ct1 to ris1", [Cut.REQUEST, Cut.REQUEST]), pytest.raises(NoAnswerError):
        acquisition.perform(hospital.links, hospital.spool, item, commit=False)
    assert len(facts_of(hospital.spool)) == 1
    deliver.Courier(lambda: hospital.links, hospital.spool).round()
    assert facts_of(hospital.spool) == []
