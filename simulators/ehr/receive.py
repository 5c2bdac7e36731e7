"""What the record does with messages from the RIS: order status (ORM^O01 or OMG^O19 SC) and reports (ORU^R01)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.events.actions import ORDER_STATUS, REPORT
from simulators.events.report import write_event
from simulators.hl7content import needed, order_of, orders_in, patient_of, report_of, status_of
from simulators.hl7receiver import HL7ProblemError

if TYPE_CHECKING:
    from simulators.database import Cursor
    from simulators.hl7messages import Message

STATUSES: dict[tuple[str, str], str] = {
    ("SC", "S"): "scheduled",
    ("IP", "I"): "in progress",
    ("IP", "R"): "performed",
    ("CM", "F"): "completed",
    ("DC", "X"): "discontinued",
    ("CA", "X"): "cancelled",
}
"""ORC-5 (table 0038) and OBR-25 (table 0123) to the status of an order."""

FINAL = frozenset({"completed", "cancelled"})


def order_status(cursor: Cursor, sender: str, message: Message) -> str:
    """Take each status change of the filler (RAD-3), and what it performs; return the first placer order number."""
    taken = [_status_of_one(cursor, sender, order) for order in orders_in(message)]
    return taken[0]


def _status_of_one(cursor: Cursor, sender: str, message: Message) -> str:
    if message.get("ORC", 1) != "SC":
        raise HL7ProblemError(reasons.ORDER_CONTROL, 103, "ORC-1 is not SC", location=("ORC", "1", "1"))
    told, order = status_of(message), order_of(message)
    status = STATUSES.get((told.order, told.result))
    if status is None:
        raise HL7ProblemError(
            reasons.ORDER_STATUS, 103, "ORC-5 with OBR-25 means nothing here", location=("ORC", "1", "5")
        )
    current = _locked(cursor, order.placer, patient_of(message).identifier)
    # A result that is final has closed the order; a status that was under way meanwhile does not open it again.
    status = current if current in FINAL else status
    note = f"{told.reason.meaning} ({told.reason.value}, {told.reason.scheme})" if told.reason else None
    cursor.execute(
        "UPDATE orders SET status = %(status)s, status_note = coalesce(%(note)s, status_note), filler = %(filler)s,"
        " accession = %(accession)s, study_uid = coalesce(nullif(%(study)s, ''), study_uid), code = %(code)s,"
        " description = coalesce(nullif(%(description)s, ''), description),"
        " scheme = coalesce(nullif(%(scheme)s, ''), scheme), reason = coalesce(nullif(%(reason)s, ''), reason),"
        " priority = coalesce(nullif(%(told_priority)s, ''), priority), changed = now() WHERE placer = %(placer)s",
        {
            **order.columns(),
            "status": status,
            "note": note,
            "filler": order.filler,
            "accession": order.accession,
            "study": order.study_uid,
            "told_priority": message.get("TQ1", 9),
        },
    )
    write_event(
        ORDER_STATUS,
        peer=sender,
        accession=order.accession,
        study=order.study_uid,
        placer=order.placer,
        state=status,
    )
    return order.placer


def result(cursor: Cursor, sender: str, message: Message) -> str:
    """Keep each report (RAD-28), and which one is in force; a final or corrected one completes the order.

    Return the first placer order number.
    """
    taken = [_one_result(cursor, sender, report) for report in orders_in(message)]
    return taken[0]


def _one_result(cursor: Cursor, sender: str, message: Message) -> str:
    report = report_of(message)
    placer = needed(message, "ORC", 2)
    _locked(cursor, placer, patient_of(message).identifier)
    cursor.execute("SELECT status FROM results WHERE placer = %s AND in_force", (placer,))
    before = cursor.fetchone()
    in_force = before is None or report.replaces(before["status"])  # a late preliminary one is kept, and no more
    if in_force:
        cursor.execute("UPDATE results SET in_force = false WHERE placer = %s AND in_force", (placer,))
    cursor.execute(
        "INSERT INTO results (placer, accession, study_uid, series_uid, instance_uid, status, author, report, in_force)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            placer,
            report.accession,
            report.study_uid,
            report.series_uid,
            report.instance_uid,
            report.status,
            report.author,
            report.text,
            in_force,
        ),
    )
    if report.status in {"F", "C"}:
        cursor.execute("UPDATE orders SET status = 'completed', changed = now() WHERE placer = %s", (placer,))
    write_event(
        REPORT,
        transaction="RAD-28",
        peer=sender,
        accession=report.accession,
        study=report.study_uid,
        placer=placer,
        instance=report.instance_uid,
        state=report.status,
    )
    return placer


def _locked(cursor: Cursor, placer: str, patient_id: str) -> str:
    cursor.execute("SELECT status, patient_id FROM orders WHERE placer = %s FOR UPDATE", (placer,))
    row = cursor.fetchone()
    if row is None:
        raise HL7ProblemError(reasons.UNKNOWN_ORDER, 204, f"no order {placer} here", location=("ORC", "1", "2"))
    cursor.execute("SELECT coalesce(merged_into, patient_id) AS id FROM patients WHERE patient_id = %s", (patient_id,))
    named = cursor.fetchone()
    if named is None or named["id"] != row["patient_id"]:
        raise HL7ProblemError(
            reasons.OTHER_PATIENT, 204, "PID-3 is not the order's patient", location=("PID", "1", "3")
        )
    status: str = row["status"]
    return status
