"""What HL7 messages mean here: patient update and merge (RAD-12), procedures scheduled (RAD-4) and changed (RAD-13)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.events.actions import SCHEDULE
from simulators.events.report import write_event
from simulators.hl7content import is_identifier, needed, order_of, orders_in, patient_of, status_of
from simulators.hl7memory import REMEMBERED_DAYS, Acceptance, content_of
from simulators.hl7receiver import HL7ProblemError
from simulators.image_manager.rejection import ask_withdrawal
from simulators.image_manager.schedule import WRONG_ENTRY, WRONG_STATE
from simulators.image_manager.store import ask_work

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from simulators.hl7content import Patient
    from simulators.hl7messages import Message
    from simulators.image_manager.store import Store

STATES: dict[str, str] = {"NW": "scheduled", "XO": "scheduled", "SC": "", "CA": "cancelled", "DC": "cancelled"}
"""ORC-1 (table 0119) to the state of an expected procedure; after SC, ORC-5 says it."""
PROGRESS: dict[tuple[str, str], str] = {
    ("SC", "S"): "scheduled",
    ("IP", "I"): "in progress",
    ("IP", "R"): "completed",
    ("CM", "F"): "reported",
    ("DC", "X"): "discontinued",
    ("CA", "X"): "cancelled",
}
"""ORC-5 (table 0038) with OBR-25 (table 0123) to the state that the filler tells (RAD-13)."""


@dataclass(frozen=True)
class StoredInbox:
    """Notes a message and what it asks in one transaction; see :class:`simulators.hl7receiver.Inbox`.

    The images follow later: an archive that is away must not keep the sender waiting.
    """

    store: Store
    work: Callable[[sqlite3.Connection, str, Message], None]
    done: Callable[[], None]

    def accept(self, sender: str, message: Message) -> Acceptance:
        """Take the message, unless the sender's control id came before; see :class:`simulators.hl7receiver.Inbox`."""
        now = time.time()
        with self.store.transaction() as db:
            db.execute("DELETE FROM messages WHERE at < ?", (now - REMEMBERED_DAYS * 86400,))
            known = db.execute(
                "SELECT body FROM messages WHERE sender = ? AND control_id = ?", (sender, message.control_id)
            ).fetchone()
            if known is not None:
                same = content_of(known["body"]) == content_of(message.text)
                return Acceptance.REPEATED if same else Acceptance.OTHER_CONTENT
            db.execute(
                "INSERT INTO messages (sender, control_id, type, body, at) VALUES (?, ?, ?, ?, ?)",
                (sender, message.control_id, message.type, message.text, now),
            )
            self.work(db, f"{message.type} {message.control_id} from {sender}", message)
        self.done()
        return Acceptance.NEW


def update(db: sqlite3.Connection, source: str, message: Message) -> None:
    """Take a patient's demographics from ADT^A08."""
    patient = patient_of(message)
    retired = db.execute(
        "SELECT surviving FROM merges WHERE prior = ? AND authority = ?", (patient.identifier, patient.authority)
    ).fetchone()
    if retired:
        raise HL7ProblemError(
            reasons.MERGED_PATIENT, 204, f"{patient.identifier} was merged into {retired['surviving']}",
            location=("PID", "1", "3"),
        )  # fmt: skip
    _keep(db, patient, source)
    ask_work(db, patient.identifier, patient.authority)


def merge(db: sqlite3.Connection, source: str, message: Message) -> None:
    """Take from ADT^A40 that each identifier in MRG-1 is retired in favour of the one in PID-3."""
    for pair in message.groups("PID"):
        _merge(db, source, pair)


def _merge(db: sqlite3.Connection, source: str, message: Message) -> None:
    surviving = patient_of(message)
    prior, authority = needed(message, "MRG", 1), message.get("MRG", 1, 4) or message.get("MSH", 4)
    if not is_identifier(prior):
        raise HL7ProblemError(reasons.CONTENT, 102, "MRG-1 cannot be a Patient ID", location=("MRG", "1", "1"))
    if authority != surviving.authority:
        raise HL7ProblemError(
            reasons.OTHER_AUTHORITY, 103, "MRG-1.4 is not PID-3.4: identifiers of two authorities are not merged",
            location=("MRG", "1", "1"),
        )  # fmt: skip
    if prior == surviving.identifier:
        raise HL7ProblemError(
            reasons.MERGE_INTO_ITSELF,
            103,
            "MRG-1 is PID-3: a patient is not merged into itself",
            location=("MRG", "1", "1"),
        )
    now = time.time()
    # The survivor may have been retired before, and others may have been merged into the one that goes now:
    # every retired identifier points straight at the one that is in force.
    db.execute("DELETE FROM merges WHERE prior = ? AND authority = ?", (surviving.identifier, authority))
    db.execute(
        "UPDATE merges SET surviving = ?, source = ?, changed = ? WHERE surviving = ? AND authority = ?",
        (surviving.identifier, source, now, prior, authority),
    )
    db.execute(
        "INSERT INTO merges (prior, authority, surviving, source, changed) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET surviving = excluded.surviving, source = excluded.source, changed = excluded.changed",
        (prior, authority, surviving.identifier, source, now),
    )
    db.execute("DELETE FROM patients WHERE identifier = ? AND authority = ?", (prior, authority))
    _keep(db, surviving, source)
    for row in db.execute(
        "SELECT prior FROM merges WHERE surviving = ? AND authority = ?", (surviving.identifier, authority)
    ).fetchall():
        ask_work(db, row["prior"], authority)
    ask_work(db, surviving.identifier, authority)


def procedures(db: sqlite3.Connection, _: str, message: Message) -> None:
    """Keep what the filler tells of each procedure: its images are expected, or no longer."""
    for order in orders_in(message):
        _procedure(db, order)


def _procedure(db: sqlite3.Connection, message: Message) -> None:
    control = message.get("ORC", 1)
    state = STATES.get(control)
    if state is None:
        raise HL7ProblemError(
            reasons.ORDER_CONTROL, 103, f"ORC-1 is {control or 'empty'}, not one of {', '.join(STATES)}",
            location=("ORC", "1", "1"),
        )  # fmt: skip
    order, patient = order_of(message), patient_of(message)
    accession = order.accession or needed(message, "OBR", 18)
    state = state or _progress(message)
    known = db.execute("SELECT study_uid FROM procedures WHERE accession = ?", (accession,)).fetchone()
    if known and order.study_uid and known["study_uid"] != order.study_uid:
        raise HL7ProblemError(
            reasons.OTHER_STUDY,
            205,
            f"accession number {accession} belongs to another study",
            location=("ZDS", "1", "1"),
        )
    db.execute(
        "INSERT INTO procedures (accession, placer, filler, procedure_id, step_id, study_uid, patient, modality, code,"
        " description, state, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
        " state = excluded.state, patient = excluded.patient, changed = excluded.changed,"
        " modality = excluded.modality, code = excluded.code, description = excluded.description",
        (
            accession, order.placer, order.filler, order.procedure_id, order.step_id, order.study_uid,
            patient.identifier, order.modality, order.code.value, order.code.meaning, state, time.time(),
        ),
    )  # fmt: skip
    if state == WRONG_STATE:
        ask_withdrawal(db, order.study_uid)
    write_event(
        SCHEDULE,
        transaction="RAD-4" if control == "NW" else "RAD-13",
        accession=accession,
        study=order.study_uid,
        patient=patient.identifier,
        state=state,
        control_id=message.control_id,
    )


def _progress(message: Message) -> str:
    """Return the state that ORC-5 tells; of a procedure that ended because another entry was meant, that.

    Raises:
        HL7ProblemError: it has a value that means nothing here.
    """
    if not message.get("ORC", 5):
        return "scheduled"
    status = status_of(message)
    state = PROGRESS.get((status.order, status.result))
    if state is None:
        raise HL7ProblemError(
            reasons.ORDER_STATUS, 103, "ORC-5 with OBR-25 means nothing here", location=("ORC", "1", "5")
        )
    wrong = state == "discontinued" and status.reason is not None and status.reason.value == WRONG_ENTRY
    return WRONG_STATE if wrong else state


def _keep(db: sqlite3.Connection, patient: Patient, source: str) -> None:
    db.execute(
        "INSERT INTO patients (identifier, authority, family, given, birth_date, sex, source, changed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET family = excluded.family, given = excluded.given,"
        " birth_date = excluded.birth_date, sex = excluded.sex, source = excluded.source, changed = excluded.changed",
        (
            patient.identifier, patient.authority, patient.family, patient.given, patient.birth_date, patient.sex,
            source, time.time(),
        ),
    )  # fmt: skip
