"""The health record takes status and reports on its own orders, of the right patient, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulators.database import URL_VARIABLE, Database
from simulators.ehr.receive import order_status, result
from simulators.ehr.record import STEPS, order_refused
from simulators.hl7content import Code, Envelope, Order, Report, Status, order_message, report_message
from simulators.hl7exchange import TransactionalInbox
from simulators.hl7messages import Answer, new_control_id, read_answer
from simulators.hl7receiver import Receiver
from simulators.settings import parse
from tests.unit.simulators.database import own_schema
from tests.unit.simulators.peers import ANNA, EHR, RIS, caller, peer, renamed, sender

CODE = Code("CTHEAD", "CT head", "99L")
FILLED = Order("O0000001", CODE, "CT", filler="F1", accession="A1", study_uid="2.25.1")


class Ehr:
    """A record with two patients and one order of the first."""

    def __init__(self) -> None:
        """Make the tables and fill them."""
        settings = parse(
            {
                "host": {"name": "ehr1", "fqdn": "ehr1.imaging.internal", "address": "127.0.0.1"},
                "site": {"name": "reference", "domain": "imaging.internal"},
                "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
                "listen": {},
                "peers": [peer("ris1", "hl7-tls", "ris", ["ORM^O01"])],
                "callers": [caller("ris1", "hl7-tls", ["ORM^O01", "ORU^R01"])],
            }
        )
        self.database = Database(settings)
        self.database.migrate(STEPS)
        inboxes = {
            kind: TransactionalInbox(self.database, work, lambda: None)
            for kind, work in (("ORM^O01", order_status), ("ORU^R01", result))
        }
        self.receiver = Receiver(settings, inboxes)
        with self.database.transaction() as cursor:
            for identifier in ("P0000001", "P0000002"):
                cursor.execute(
                    "INSERT INTO patients (patient_id, authority, family, given, birth_date, sex)"
                    " VALUES (%s, 'REFERENCE', 'Weber', 'Anna', '19700412', 'F')",
                    (identifier,),
                )
            cursor.execute(
                "INSERT INTO orders"
                " (placer, patient_id, code, description, scheme, modality, priority, reason, provider, status)"
                " VALUES ('O0000001', 'P0000001', 'CTHEAD', 'CT head', '99L', 'CT', 'R', '', '', 'ordered')"
            )

    def send(self, text: str) -> Answer:
        """Hand a message to the gate as the RIS."""
        (answer,) = self.receiver.answer(text.encode(), sender("ris1"))
        return read_answer(answer)

    def status(
        self, order: str, outcome: str, *, reason: Code | None = None, patient: Any = ANNA, filled: Order = FILLED
    ) -> Answer:
        """Send a change of status."""
        envelope = Envelope(RIS, EHR, new_control_id())
        return self.send(order_message(envelope, "SC", patient, filled, Status(order, outcome, reason)))

    def report(self, status: str, placer: str = "O0000001", patient: Any = ANNA) -> Answer:
        """Send a report."""
        report = Report("A1", "2.25.1", CODE, "Dr R", status, status, placer, "F1", "2.25.2", "2.25.3")
        return self.send(report_message(Envelope(RIS, EHR, new_control_id()), patient, report))

    def order(self) -> dict[str, Any]:
        """Return the order."""
        with self.database.transaction() as cursor:
            cursor.execute("SELECT * FROM orders")
            return cursor.fetchall()[0]

    def results(self) -> list[dict[str, Any]]:
        """Return the results, oldest first."""
        with self.database.transaction() as cursor:
            cursor.execute("SELECT * FROM results ORDER BY id")
            return cursor.fetchall()


@pytest.fixture
def ehr(server: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Ehr:
    monkeypatch.setenv(URL_VARIABLE, own_schema(server, request.node.name))
    return Ehr()


def test_a_scheduled_order_learns_its_accession_number(ehr: Ehr, events: list[dict[str, Any]]) -> None:
    assert ehr.status("SC", "S").accepted
    taken = {"action": "order-status", "transaction": "RAD-3", "accession": "A1", "study": "2.25.1", "peer": "ris1"}
    assert {**taken, "placer": "O0000001", "state": "scheduled"}.items() <= events[0].items()
    order = ehr.order()
    assert (order["status"], order["accession"], order["filler"], order["study_uid"]) == (
        "scheduled",
        "A1",
        "F1",
        "2.25.1",
    )


def test_the_record_has_an_order_as_the_filler_performs_it(ehr: Ehr) -> None:
    neck = replace(FILLED, code=Code("CTNECK", "CT neck", "99L"), priority="S", reason="fall")
    assert ehr.status("SC", "S", filled=neck).accepted
    order = ehr.order()
    assert [order[name] for name in ("code", "description", "priority", "reason", "modality")] == [
        "CTNECK", "CT neck", "S", "fall", "CT",
    ]  # fmt: skip


def test_a_discontinued_order_keeps_the_reason(ehr: Ehr) -> None:
    assert ehr.status("DC", "X", reason=Code("110514", "Incorrect worklist entry selected", "DCM")).accepted
    assert ehr.order()["status_note"] == "Incorrect worklist entry selected (110514, DCM)"


def test_a_final_report_completes_the_order_and_a_late_status_does_not_open_it(ehr: Ehr) -> None:
    assert ehr.report("F").accepted
    assert ehr.status("IP", "R").accepted
    assert (ehr.order()["status"], len(ehr.results())) == ("completed", 1)


def test_a_preliminary_report_is_kept_and_completes_nothing(ehr: Ehr) -> None:
    assert ehr.report("P").accepted
    assert (ehr.order()["status"], len(ehr.results())) == ("ordered", 1)


def test_a_report_is_kept_with_the_document_that_has_it_in_dicom(ehr: Ehr, events: list[dict[str, Any]]) -> None:
    assert ehr.report("F").accepted
    (kept,) = ehr.results()
    assert (kept["study_uid"], kept["series_uid"], kept["instance_uid"]) == ("2.25.1", "2.25.2", "2.25.3")
    assert (kept["report"], kept["in_force"]) == ("F", True)
    assert {"action": "report", "transaction": "RAD-28", "instance": "2.25.3"}.items() <= events[0].items()


@pytest.mark.parametrize(
    ("arriving", "in_force"),
    [("PF", 1), ("FP", 0), ("FC", 1), ("CF", 0), ("CP", 0), ("PP", 1), ("CC", 1), ("PFC", 2), ("CPF", 0), ("FPC", 2)],
)
def test_a_correction_replaces_a_final_report_and_a_final_one_a_preliminary_one_in_whatever_order_they_arrive(
    ehr: Ehr, arriving: str, in_force: int
) -> None:
    for status in arriving:
        assert ehr.report(status).accepted
    assert [row["status"] for row in ehr.results()] == list(arriving)
    assert [number for number, row in enumerate(ehr.results()) if row["in_force"]] == [in_force]
    assert ehr.order()["status"] == ("ordered" if set(arriving) == {"P"} else "completed")


def test_of_results_that_an_earlier_version_has_kept_the_last_of_the_highest_status_is_in_force(ehr: Ehr) -> None:
    with ehr.database.transaction() as cursor:
        cursor.execute("DROP TABLE admissions")
        cursor.execute("DROP INDEX orders_provider")
        cursor.execute("DROP INDEX results_in_force")
        cursor.execute("ALTER TABLE results DROP COLUMN series_uid, DROP COLUMN instance_uid, DROP COLUMN in_force")
        cursor.execute("DELETE FROM schema_version WHERE step > 2")
        for status in "PFFP":
            cursor.execute(
                "INSERT INTO results (placer, accession, study_uid, status, author, report)"
                " VALUES ('O0000001', 'A1', '', %s, '', '')",
                (status,),
            )
    ehr.database.migrate(STEPS)
    assert [row["in_force"] for row in ehr.results()] == [False, False, True, False]


def test_an_unknown_order_is_refused(ehr: Ehr) -> None:
    assert ehr.report("F", placer="O9").code == 204


def test_another_patients_report_is_refused_and_not_kept(ehr: Ehr) -> None:
    assert ehr.report("F", patient=renamed(ANNA, "P0000002")).code == 204
    assert ehr.status("SC", "S", patient=renamed(ANNA, "P404")).code == 204
    assert (ehr.order()["status"], ehr.results()) == ("ordered", [])


def test_a_report_under_an_identifier_that_was_merged_reaches_the_surviving_patient(ehr: Ehr) -> None:
    with ehr.database.transaction() as cursor:
        cursor.execute("UPDATE patients SET merged_into = 'P0000002' WHERE patient_id = 'P0000001'")
        cursor.execute("UPDATE orders SET patient_id = 'P0000002'")
    assert ehr.report("F").accepted


def test_a_status_that_means_nothing_is_refused(ehr: Ehr) -> None:
    assert ehr.status("HD", "S").code == 103


def test_an_order_that_the_filler_refuses_says_so(ehr: Ehr) -> None:
    with ehr.database.transaction() as cursor:
        order_refused(cursor, {"order_key": "O0000001", "answer": "AE 103 no station performs DX"})
    assert (ehr.order()["status"], ehr.order()["status_note"]) == ("refused", "AE 103 no station performs DX")
