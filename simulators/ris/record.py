"""The RIS's tables, and the rows that several parts of it read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

from simulators.errors import NotFoundError
from simulators.hl7content import Order, Patient
from simulators.hl7exchange import MESSAGES_REMEMBERED, MESSAGES_TABLE

if TYPE_CHECKING:
    from simulators.database import Cursor

STEPS: tuple[LiteralString, ...] = (
    """
CREATE TABLE patients (
    patient_id  text PRIMARY KEY,
    authority   text NOT NULL,
    family      text NOT NULL,
    given       text NOT NULL,
    birth_date  text NOT NULL,
    sex         text NOT NULL,
    merged_into text REFERENCES patients,
    changed     timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE accession_numbers;
CREATE TABLE procedures (
    accession    text PRIMARY KEY,
    placer       text NOT NULL UNIQUE,
    filler       text NOT NULL UNIQUE,
    procedure_id text NOT NULL UNIQUE,
    study_uid    text NOT NULL UNIQUE,
    patient_id   text NOT NULL REFERENCES patients,
    code         text NOT NULL,
    description  text NOT NULL,
    scheme       text NOT NULL,
    modality     text NOT NULL,
    priority     text NOT NULL,
    reason       text NOT NULL,
    provider     text NOT NULL,
    status       text NOT NULL,
    ordered      timestamptz NOT NULL DEFAULT now(),
    changed      timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE steps (
    step_id    text PRIMARY KEY,
    accession  text NOT NULL REFERENCES procedures,
    station    text NOT NULL,
    station_ae text NOT NULL,
    scheduled  timestamptz NOT NULL,
    status     text NOT NULL
);
CREATE TABLE performed_steps (
    sop_instance_uid text PRIMARY KEY,
    performed_id     text NOT NULL,
    accession        text REFERENCES procedures,
    step_id          text REFERENCES steps,
    station_ae       text NOT NULL,
    status           text NOT NULL,
    reason           text,
    attributes       jsonb NOT NULL,
    created          timestamptz NOT NULL DEFAULT now(),
    ended            timestamptz
);
CREATE TABLE reports (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    accession  text NOT NULL REFERENCES procedures,
    source     text NOT NULL,
    author     text NOT NULL,
    status     text NOT NULL,
    report     text NOT NULL,
    received   timestamptz NOT NULL DEFAULT now()
);
"""
    + MESSAGES_TABLE,
    """
CREATE SEQUENCE patient_numbers;
CREATE SEQUENCE walk_in_numbers;
""",
    MESSAGES_REMEMBERED
    + """
ALTER TABLE performed_steps ADD COLUMN creation jsonb;
""",
    """
ALTER TABLE reports
    ADD COLUMN series_uid   text NOT NULL DEFAULT '',
    ADD COLUMN instance_uid text NOT NULL DEFAULT '';
CREATE TABLE notifications (
    sop_instance_uid text PRIMARY KEY,
    ae_title         text NOT NULL,
    study_uid        text NOT NULL,
    content          jsonb NOT NULL,
    received         timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE instances (
    sop_instance_uid text NOT NULL,
    ae_title         text NOT NULL,
    sop_class_uid    text NOT NULL,
    series_uid       text NOT NULL,
    study_uid        text NOT NULL,
    availability     text NOT NULL,
    changed          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (sop_instance_uid, ae_title)
);
CREATE INDEX instances_study ON instances (study_uid);
""",
    """
CREATE TABLE rejections (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    accession  text NOT NULL REFERENCES procedures,
    title      text NOT NULL,
    issue      text NOT NULL,
    text       text NOT NULL,
    instances  jsonb NOT NULL,
    state      text NOT NULL,
    asked_by   text NOT NULL,
    asked      timestamptz NOT NULL DEFAULT now(),
    decided_by text,
    decided    timestamptz,
    why        text,
    note       bytea
);
CREATE INDEX rejections_accession ON rejections (accession);
CREATE TABLE rejection_notes (
    rejection bigint NOT NULL REFERENCES rejections,
    archive   text NOT NULL,
    state     text NOT NULL,
    attempts  integer NOT NULL DEFAULT 0,
    next_try  timestamptz NOT NULL DEFAULT clock_timestamp(),
    error     text,
    taken     timestamptz,
    PRIMARY KEY (rejection, archive)
);
""",
)


def find_procedure(cursor: Cursor, accession: str, *, locked: bool = False) -> dict[str, Any]:
    """Return a procedure's row; nobody else changes it meanwhile where it is locked.

    Raises:
        NotFoundError: there is no such accession number.
    """
    query: LiteralString = "SELECT * FROM procedures WHERE accession = %s"
    cursor.execute(query + " FOR UPDATE" if locked else query, (accession,))
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError(f"no accession number {accession}", remedy="`pacslab-ris procedures` lists them.")
    return row


def find_patient(cursor: Cursor, identifier: str) -> Patient | None:
    """Return a patient, following a merge to the surviving one; None when unknown."""
    cursor.execute(
        "SELECT surviving.* FROM patients AS named"
        " JOIN patients AS surviving ON surviving.patient_id = coalesce(named.merged_into, named.patient_id)"
        " WHERE named.patient_id = %s",
        (identifier,),
    )
    row = cursor.fetchone()
    return Patient.of_row(row) if row else None


def order_of_procedure(cursor: Cursor, procedure: dict[str, Any]) -> Order:
    """Return the order that a procedure fills, with everything that was assigned."""
    cursor.execute("SELECT * FROM steps WHERE accession = %s ORDER BY step_id LIMIT 1", (procedure["accession"],))
    return filled_order(procedure, cursor.fetchone())


def filled_order(procedure: dict[str, Any], step: dict[str, Any] | None) -> Order:
    """Return the order that a procedure fills, of the rows of the procedure and of its step."""
    return Order.of_row(
        procedure,
        scheduled=step["scheduled"].strftime("%Y%m%d%H%M%S%z") if step else "",
        filler=procedure["filler"],
        accession=procedure["accession"],
        procedure_id=procedure["procedure_id"],
        step_id=step["step_id"] if step else "",
        study_uid=procedure["study_uid"],
    )
