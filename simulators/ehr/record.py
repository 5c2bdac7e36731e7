"""The record's tables, and what every verb does with them: change, put the message into the outbox, deliver it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, LiteralString

from simulators.command_line import Result
from simulators.database import Database
from simulators.ehr.relations import related_patients
from simulators.errors import NotFoundError, RefusedError, UnreachableError
from simulators.events import reasons
from simulators.events.report import write_event
from simulators.hl7content import ORDER_KINDS, Patient, order_kind, order_message
from simulators.hl7exchange import MESSAGES_REMEMBERED, MESSAGES_TABLE
from simulators.outbox import Outbox, outbox_of
from simulators.relations.departments import load_departments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from simulators.database import Cursor
    from simulators.events.vocabulary import Action
    from simulators.hl7content import Envelope, Order
    from simulators.relations.resource import Relation
    from simulators.settings import Peer, Settings

STEPS: tuple[LiteralString, ...] = (
    """
CREATE TABLE patients (
    patient_id    text PRIMARY KEY,
    authority     text NOT NULL,
    family        text NOT NULL,
    given         text NOT NULL,
    birth_date    text NOT NULL,
    sex           text NOT NULL,
    patient_class text NOT NULL DEFAULT 'O',
    merged_into   text REFERENCES patients,
    registered    timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE patient_numbers;
CREATE TABLE orders (
    placer       text PRIMARY KEY,
    patient_id   text NOT NULL REFERENCES patients,
    code         text NOT NULL,
    description  text NOT NULL,
    scheme       text NOT NULL,
    modality     text NOT NULL,
    priority     text NOT NULL,
    reason       text NOT NULL,
    provider     text NOT NULL,
    status       text NOT NULL,
    status_note  text,
    filler       text,
    accession    text,
    study_uid    text,
    placed       timestamptz NOT NULL DEFAULT now(),
    changed      timestamptz NOT NULL DEFAULT now()
);
CREATE SEQUENCE order_numbers;
CREATE TABLE results (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    placer     text NOT NULL REFERENCES orders,
    accession  text NOT NULL,
    study_uid  text NOT NULL,
    status     text NOT NULL,
    author     text NOT NULL,
    report     text NOT NULL,
    received   timestamptz NOT NULL DEFAULT now()
);
"""
    + MESSAGES_TABLE,
    MESSAGES_REMEMBERED,
    """
ALTER TABLE results
    ADD COLUMN series_uid   text NOT NULL DEFAULT '',
    ADD COLUMN instance_uid text NOT NULL DEFAULT '',
    ADD COLUMN in_force     boolean NOT NULL DEFAULT false;
UPDATE results SET in_force = true WHERE id IN (
    SELECT DISTINCT ON (placer) id FROM results ORDER BY placer, position(status IN 'PFC') DESC, id DESC);
CREATE UNIQUE INDEX results_in_force ON results (placer) WHERE in_force;
""",
    """
CREATE TABLE admissions (
    patient_id text NOT NULL REFERENCES patients,
    attending  text NOT NULL,
    admitted   timestamptz NOT NULL DEFAULT now(),
    discharged timestamptz
);
CREATE INDEX admissions_attending ON admissions (attending) WHERE discharged IS NULL;
CREATE INDEX orders_provider ON orders (provider);
""",
)


class Record:
    """An open record: its database, its outbox and the RIS that it speaks to."""

    def __init__(self, settings: Settings) -> None:
        """Open the database and make its tables.

        Raises:
            NotReadyError: the database cannot be reached.
            NotFoundError: no flow leads to a RIS.
        """
        self.settings = settings
        self.ris: Peer = settings.peer("hl7-tls", role="ris")
        self.database = Database(settings)
        self.database.migrate(STEPS)
        self.outbox = Outbox(settings, self.database, refused=order_refused)

    def relations(self, relation: Relation, who: str) -> list[str]:
        """Patients of a person or of a department, as this record knows them."""
        return related_patients(load_departments(), self.database, relation, who)

    @property
    def authority(self) -> str:
        """The assigning authority of this record's patient identifiers (PID-3.4)."""
        return self.settings.site.name.upper()

    def order_message(self, control: str, patient: Patient, order: Order) -> Callable[[Envelope], str]:
        """Return what writes a message about an order, in the form that the flow to the RIS names.

        Raises:
            NotFoundError: the flow permits no orders.
        """
        kind = order_kind(self.ris.permits)
        if kind is None:
            raise NotFoundError(
                f"no flow lets this record send orders to {self.ris.name}",
                remedy=f"Permit one of {', '.join(ORDER_KINDS)} in topology.yml and configure again.",
            )
        return partial(order_message, control=control, patient=patient, order=order, kind=kind)

    def told(self, number: int, data: dict[str, Any], text: str, *, action: Action, **ids: str | None) -> Result:
        """Deliver a message, write the event, and return the result with what became of the message.

        The exit code is 0 when the RIS accepted it, 1 when it refused, and 3 when it did not answer:
        the message is kept then, and the service goes on trying.
        """
        row = self.outbox.deliver(self.ris, number)
        reason = {"delivered": None, "refused": reasons.REFUSED_BY_PEER, "waiting": reasons.NO_ANSWER}[row["state"]]
        write_event(
            action,
            reason=reason,
            waiting=row["state"] == "waiting",
            peer=self.ris.name,
            **ids,
            control_id=row["control_id"],
        )
        keys = ("type", "control_id", "peer", "state", "answer")
        outcome = {
            "delivered": row["answer"],
            "refused": f"refused: {row['answer']}",
            "waiting": f"waits and is sent again: {row['answer'] or 'earlier messages wait too'}",
        }[row["state"]]
        return Result(
            {**data, "message": {key: row[key] for key in keys}},
            f"{text}\n{row['type']} {row['control_id']} to {row['peer']}: {outcome}",
            {"delivered": 0, "refused": RefusedError.exit_code, "waiting": UnreachableError.exit_code}[row["state"]],
        )


def order_refused(cursor: Cursor, row: dict[str, Any]) -> None:
    """Note that the filler refused a new order, at once or after an outage."""
    cursor.execute(
        "UPDATE orders SET status = 'refused', status_note = %s, changed = now()"
        " WHERE placer = %s AND status = 'ordered'",
        (row["answer"], row["order_key"]),
    )


def find_patient(cursor: Cursor, identifier: str) -> Patient:
    """Return a patient who has not been merged into another.

    Raises:
        NotFoundError: there is none.
    """
    cursor.execute("SELECT * FROM patients WHERE patient_id = %s", (identifier,))
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError(f"no patient {identifier}", remedy="`pacslab-ehr patients` lists them.")
    if row["merged_into"]:
        raise NotFoundError(
            f"patient {identifier} was merged into {row['merged_into']}", remedy=f"Use {row['merged_into']}."
        )
    return Patient.of_row(row)


def outbox(arguments: argparse.Namespace, settings: Settings) -> Result:
    """List what was sent and what waits, after deciding on what was set aside."""
    with Record(settings).database.transaction() as cursor:
        return outbox_of(cursor, arguments)
