"""The order filler: new orders become scheduled procedures, which orders change and cancel (RAD-2, 3, 4 and 13)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from simulators.database import one
from simulators.events import reasons
from simulators.events.actions import CANCEL, CHANGE_ORDER, SCHEDULE
from simulators.events.report import write_event
from simulators.hl7content import order_of, orders_in, patient_of
from simulators.hl7receiver import HL7ProblemError
from simulators.ris.record import find_patient
from simulators.ris.stations import choose, modality_of, stations
from simulators.ris.tell import Teller

if TYPE_CHECKING:
    from simulators.database import Cursor
    from simulators.hl7content import Order, Patient
    from simulators.hl7messages import Message
    from simulators.settings import Caller, Settings


@dataclass(frozen=True)
class Filler:
    """Deals with orders from the order placer: ORM^O01 or OMG^O19."""

    settings: Settings

    def take(self, cursor: Cursor, _: str, message: Message) -> str:
        """Do what ORC-1 asks for each order, all of them or none; return the first accession number."""
        taken = [self._take_one(cursor, order) for order in orders_in(message)]
        return taken[0]

    def _take_one(self, cursor: Cursor, message: Message) -> str:
        control = message.get("ORC", 1)
        if control == "NW":
            return self._schedule(cursor, message)
        if control == "XO":
            return self._change(cursor, message)
        if control in {"CA", "DC"}:
            return self._cancel(cursor, message)
        raise HL7ProblemError(reasons.ORDER_CONTROL, 103, "ORC-1 is not NW, XO, CA or DC", location=("ORC", "1", "1"))

    def _schedule(self, cursor: Cursor, message: Message) -> str:
        order = order_of(message)
        patient = find_patient(cursor, patient_of(message).identifier)
        if patient is None:
            raise HL7ProblemError(
                reasons.UNKNOWN_PATIENT, 204, "the patient is not registered", location=("PID", "1", "3")
            )
        return self.schedule(cursor, order, patient.identifier, self._candidates(order.modality))

    def _candidates(self, section: str) -> list[Caller]:
        candidates = stations(self.settings, section)
        if not candidates:
            raise HL7ProblemError(
                reasons.NO_STATION, 103, f"no station performs {section or 'an order without OBR-24'}",
                location=("OBR", "1", "24"),
            )  # fmt: skip
        return candidates

    def schedule(self, cursor: Cursor, order: Order, patient_id: str, candidates: list[Caller]) -> str:
        """Make an order a scheduled procedure on the candidate with the fewest waiting; return its accession number."""
        order = replace(order, modality=modality_of(order.modality))
        station = _least_busy(cursor, candidates)
        procedure = _insert(cursor, order, patient_id)
        cursor.execute(
            "INSERT INTO steps (step_id, accession, station, station_ae, scheduled, status)"
            " VALUES (%s, %s, %s, %s, %s, 'scheduled')",
            (
                procedure["procedure_id"].replace("RP", "SPS"),
                procedure["accession"],
                station.name,
                station.ae_title,
                _when(order.scheduled),
            ),
        )
        teller = Teller(self.settings)
        teller.procedure(cursor, procedure, "NW")
        teller.status(cursor, procedure)
        accession: str = procedure["accession"]
        write_event(
            SCHEDULE,
            transaction="RAD-4",
            patient=patient_id,
            accession=accession,
            study=procedure["study_uid"],
            placer=order.placer,
            station=station.ae_title,
        )
        return accession

    def _change(self, cursor: Cursor, message: Message) -> str:
        """Take what an order says by now; a station of another section performs it where the order asks for that."""
        order = order_of(message)
        before, patient = _not_begun(cursor, order.placer, message)
        accession: str = before["accession"]
        columns = {**order.columns(), "modality": modality_of(order.modality) or before["modality"]}
        cursor.execute(
            "UPDATE procedures SET code = %(code)s, description = %(description)s, scheme = %(scheme)s,"
            " modality = %(modality)s, priority = %(priority)s, reason = %(reason)s, provider = %(provider)s,"
            " changed = now() WHERE accession = %(accession)s RETURNING *",
            {**columns, "accession": accession},
        )
        procedure = one(cursor)
        if order.modality:
            self._move(cursor, accession, self._candidates(order.modality))
        if order.scheduled:
            cursor.execute("UPDATE steps SET scheduled = %s WHERE accession = %s", (_when(order.scheduled), accession))
        teller = Teller(self.settings)
        teller.procedure(cursor, procedure, "XO")
        teller.status(cursor, procedure)
        write_event(
            CHANGE_ORDER,
            patient=patient.identifier,
            accession=accession,
            study=procedure["study_uid"],
            placer=order.placer,
        )
        return accession

    def _move(self, cursor: Cursor, accession: str, candidates: list[Caller]) -> None:
        """Schedule a procedure's step on one of the candidates, unless it is already."""
        cursor.execute("SELECT station_ae FROM steps WHERE accession = %s", (accession,))
        if one(cursor)["station_ae"] in {candidate.ae_title for candidate in candidates}:
            return
        station = _least_busy(cursor, candidates)
        cursor.execute(
            "UPDATE steps SET station = %s, station_ae = %s WHERE accession = %s",
            (station.name, station.ae_title, accession),
        )

    def _cancel(self, cursor: Cursor, message: Message) -> str:
        order = order_of(message)
        procedure, _ = _not_begun(cursor, order.placer, message)
        return self.cancel(cursor, procedure)

    def cancel(self, cursor: Cursor, procedure: dict[str, Any]) -> str:
        """Cancel a procedure that has not begun; record and image managers are told. Return its accession number."""
        cursor.execute("UPDATE steps SET status = 'cancelled' WHERE accession = %s", (procedure["accession"],))
        cancelled = set_status(cursor, procedure["accession"], "cancelled")
        teller = Teller(self.settings)
        teller.procedure(cursor, cancelled, "CA")
        teller.status(cursor, cancelled)
        accession: str = cancelled["accession"]
        write_event(CANCEL, patient=cancelled["patient_id"], accession=accession, placer=cancelled["placer"])
        return accession


def _not_begun(cursor: Cursor, placer: str, message: Message) -> tuple[dict[str, Any], Patient]:
    """Return the procedure of an order, locked, and its patient.

    Raises:
        HL7ProblemError: there is no such order, it is another patient's, or it has begun or ended.
    """
    cursor.execute("SELECT * FROM procedures WHERE placer = %s FOR UPDATE", (placer,))
    procedure = cursor.fetchone()
    if procedure is None:
        raise HL7ProblemError(reasons.UNKNOWN_ORDER, 204, f"no order {placer} here", location=("ORC", "1", "2"))
    patient = find_patient(cursor, patient_of(message).identifier)
    if patient is None or patient.identifier != procedure["patient_id"]:
        raise HL7ProblemError(
            reasons.OTHER_PATIENT, 204, "PID-3 is not the order's patient", location=("PID", "1", "3")
        )
    if procedure["status"] != "scheduled":
        raise HL7ProblemError(
            reasons.TOO_LATE, 206, f"the procedure is {procedure['status']}", location=("ORC", "1", "2")
        )
    return procedure, patient


def _least_busy(cursor: Cursor, candidates: list[Caller]) -> Caller:
    """Return the candidate with the fewest steps waiting; until the transaction ends nobody else counts."""
    cursor.execute("LOCK TABLE steps IN SHARE ROW EXCLUSIVE MODE")  # two orders at once do not count alike
    cursor.execute("SELECT station_ae, count(*) AS n FROM steps WHERE status = 'scheduled' GROUP BY station_ae")
    return choose(candidates, {row["station_ae"]: row["n"] for row in cursor.fetchall()})


def set_status(cursor: Cursor, accession: str, status: str) -> dict[str, Any]:
    """Change a procedure's status and return its row."""
    cursor.execute(
        "UPDATE procedures SET status = %s, changed = now() WHERE accession = %s RETURNING *", (status, accession)
    )
    return one(cursor)


def _insert(cursor: Cursor, order: Order, patient_id: str) -> dict[str, Any]:
    cursor.execute("SELECT 1 FROM procedures WHERE placer = %s", (order.placer,))
    if cursor.fetchone():
        raise HL7ProblemError(
            reasons.DUPLICATE_ORDER, 205, f"order {order.placer} is known", location=("ORC", "1", "2")
        )
    cursor.execute("SELECT lpad(nextval('accession_numbers')::text, 7, '0') AS number")
    number = one(cursor)["number"]
    cursor.execute(
        "INSERT INTO procedures (accession, placer, filler, procedure_id, study_uid, patient_id, code, description,"
        " scheme, modality, priority, reason, provider, status)"
        " VALUES (%(accession)s, %(placer)s, %(filler)s, %(procedure_id)s, %(study_uid)s, %(patient_id)s, %(code)s,"
        " %(description)s, %(scheme)s, %(modality)s, %(priority)s, %(reason)s, %(provider)s, 'scheduled') RETURNING *",
        {
            "accession": f"A{number}",
            "filler": f"F{number}",
            "procedure_id": f"RP{number}",
            "study_uid": f"2.25.{uuid.uuid4().int}",  # PS3.5 B.2: a UID derived from a UUID
            "patient_id": patient_id,
            **order.columns(),
        },
    )
    return one(cursor)


def _when(text: str) -> datetime:
    """Return the time of TQ1-7; now when it is empty."""
    if not text:
        return datetime.now(UTC)
    for form in ("%Y%m%d%H%M%S%z", "%Y%m%d%H%M%z", "%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d"):
        try:
            return datetime.strptime(text, form).astimezone()  # without an offset it is local time
        except ValueError:
            continue
    raise HL7ProblemError(reasons.CONTENT, 102, "TQ1-7 is not a time", location=("TQ1", "1", "7"))
