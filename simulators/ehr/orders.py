"""Orders of the record and their results: place, change, cancel, list, show."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from simulators.command_line import Result, table
from simulators.database import one
from simulators.deadline import Deadline
from simulators.ehr.record import Record, find_patient
from simulators.errors import ArgumentError, NoAnswerError, NotFoundError
from simulators.events.actions import CANCEL, CHANGE_ORDER, ORDER
from simulators.hl7content import Code, Order
from simulators.hl7exchange import enqueue, messages

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from simulators.database import Cursor
    from simulators.events.vocabulary import Action
    from simulators.settings import Settings

COLUMNS = ("placer", "patient_id", "modality", "code", "description", "priority", "status", "accession", "placed")
NOT_BEGUN = frozenset({"ordered", "scheduled"})


def place(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Place an order and send ORM^O01 NW."""
    record = Record(settings)
    with record.database.transaction() as cursor:
        patient = find_patient(cursor, arguments.patient)
        arguments.acting.require(patient.identifier, record.relations)
        cursor.execute("SELECT 'O' || lpad(nextval('order_numbers')::text, 7, '0') AS placer")
        order = Order(
            placer=one(cursor)["placer"],
            code=Code(arguments.code, arguments.text, arguments.scheme),
            modality=arguments.modality,
            priority=arguments.priority,
            reason=arguments.reason,
            provider=arguments.acting.name,
            entered_by=arguments.acting.name,
        )
        cursor.execute(
            "INSERT INTO orders"
            " (placer, patient_id, code, description, scheme, modality, priority, reason, provider, status)"
            " VALUES (%(placer)s, %(patient_id)s, %(code)s, %(description)s, %(scheme)s, %(modality)s, %(priority)s,"
            " %(reason)s, %(provider)s, 'ordered')",
            {"patient_id": patient.identifier, **order.columns()},
        )
        number = enqueue(cursor, settings, record.ris, record.order_message("NW", patient, order), order.placer)
    told = record.told(
        number,
        {},
        f"order {order.placer} placed",
        action=ORDER,
        placer=order.placer,
        patient=patient.identifier,
    )
    row = _scheduled(record, order.placer, 0 if told.exit_code else arguments.wait)
    return Result(
        {"order": row, **told.data},
        f"{told.text}\nstatus {row['status']}, accession {row['accession'] or '-'}",
        told.exit_code,
    )


def _scheduled(record: Record, placer: str, seconds: float) -> dict[str, Any]:
    deadline = Deadline(seconds)
    while True:
        with record.database.transaction() as cursor:
            row = _find(cursor, placer)
        if row["status"] != "ordered" or seconds <= 0:
            return row
        if deadline.over:
            raise NoAnswerError(
                f"order {placer} was taken by {record.ris.name} but not scheduled within {seconds:g} s",
                remedy=f"Look at `pacslab-ris outbox` on {record.ris.name} and at this host's service.",
            )
        deadline.pause(0.1)


def change(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Ask the RIS to change an order that has not begun: ORM^O01 XO.

    The record has the order as the RIS tells it, so the change stands here when it stands there (RAD-3).
    """
    named = {name: getattr(arguments, name) for name in ("code", "text", "priority", "reason")}
    changes = {name: value for name, value in named.items() if value is not None}
    if not changes:
        raise ArgumentError("nothing to change", remedy="Give at least one of --code --text --priority --reason.")

    def changed(order: Order) -> Order:
        value, meaning = changes.pop("code", order.code.value), changes.pop("text", order.code.meaning)
        return replace(order, code=replace(order.code, value=value, meaning=meaning), **changes)

    return _ask(arguments, settings, "XO", f"changing order {arguments.placer}", action=CHANGE_ORDER, wish=changed)


def cancel(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Cancel an order that has not begun: ORM^O01 CA."""
    text = f"cancelling order {arguments.placer}"
    return _ask(arguments, settings, "CA", text, action=CANCEL, becomes="cancelled")


def _ask(
    arguments: argparse.Namespace,
    settings: Settings,
    control: str,
    text: str,
    *,
    action: Action,
    wish: Callable[[Order], Order] = lambda order: order,
    becomes: str = "",
) -> Result:
    """Ask the RIS to do something with an order that has not begun, and return the order as it is then.

    Args:
        arguments: name the order and who asks.
        settings: this host's.
        control: ORC-1 (table 0119).
        text: what is asked for, for a person.
        action: what it is in the event.
        wish: the order as it is to be.
        becomes: the status that the record gives it once the RIS has accepted.

    Raises:
        NotFoundError: there is no such order.
        ArgumentError: it has begun or ended.
        DeniedError: the patient is not one of the person's.
    """
    record = Record(settings)
    with record.database.transaction() as cursor:
        row = _not_begun(cursor, arguments.placer)
        patient = find_patient(cursor, row["patient_id"])
        arguments.acting.require(patient.identifier, record.relations)
        wanted = replace(wish(_order(row)), entered_by=arguments.acting.name)
        number = enqueue(cursor, settings, record.ris, record.order_message(control, patient, wanted), row["placer"])
    ids = {"placer": row["placer"], "patient": patient.identifier, "accession": row["accession"]}
    told = record.told(number, {}, text, action=action, **ids)
    with record.database.transaction() as cursor:
        if becomes and told.exit_code == 0:
            cursor.execute(
                "UPDATE orders SET status = %s, changed = now() WHERE placer = %s", (becomes, arguments.placer)
            )
        row = _find(cursor, arguments.placer)
    return Result({"order": row, **told.data}, f"{told.text}\nstatus {row['status']}", told.exit_code)


def _not_begun(cursor: Cursor, placer: str) -> dict[str, Any]:
    """Return an order's row.

    Raises:
        NotFoundError: there is no such order.
        ArgumentError: it has begun or ended.
    """
    row = _find(cursor, placer)
    if row["status"] not in NOT_BEGUN:
        raise ArgumentError(
            f"order {placer} is {row['status']}",
            remedy="Only an order that has not begun can be changed or cancelled.",
        )
    return row


def listing(arguments: argparse.Namespace, settings: Settings) -> Result:
    """List orders."""
    with Record(settings).database.transaction() as cursor:
        cursor.execute(
            "SELECT * FROM orders WHERE %(patient)s::text IS NULL OR patient_id = %(patient)s ORDER BY placer",
            {"patient": arguments.patient},
        )
        rows = cursor.fetchall()
    return Result(rows, table(rows, COLUMNS))


def results(arguments: argparse.Namespace, settings: Settings) -> Result:
    """List the results of one order, or of all patients whose reports the person may read.

    Raises:
        DeniedError: the person may not read that patient's.
    """
    record = Record(settings)
    with record.database.transaction() as cursor:
        if arguments.placer:
            arguments.acting.require(_find(cursor, arguments.placer)["patient_id"], record.relations)
        cursor.execute(
            "SELECT results.*, orders.patient_id FROM results JOIN orders USING (placer)"
            " WHERE %(placer)s::text IS NULL OR placer = %(placer)s ORDER BY id",
            {"placer": arguments.placer},
        )
        rows = cursor.fetchall()
    if not arguments.placer:
        reach = arguments.acting.reach(record.relations)
        rows = [row for row in rows if reach.has(row["patient_id"])]
    return Result(
        rows, table(rows, ("id", "placer", "accession", "status", "in_force", "author", "received", "report"))
    )


def show(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Show an order, its patient, its messages, and which results there are; what they say, ``results`` tells."""
    with Record(settings).database.transaction() as cursor:
        row = _find(cursor, arguments.placer)
        cursor.execute("SELECT * FROM patients WHERE patient_id = %s", (row["patient_id"],))
        person = one(cursor)
        cursor.execute(
            "SELECT id, status, in_force, author, received, instance_uid FROM results WHERE placer = %s ORDER BY id",
            (row["placer"],),
        )
        found = cursor.fetchall()
        trail = messages(cursor, keys=[row["placer"]])
    text = "\n\n".join(
        (
            table([row], COLUMNS),
            table(trail, ("at", "direction", "peer", "type", "control_id", "state", "answer")),
            table(found, ("id", "status", "in_force", "author", "received", "instance_uid")),
        )
    )
    return Result({"order": row, "patient": person, "messages": trail, "results": found}, text)


def _find(cursor: Cursor, placer: str) -> dict[str, Any]:
    cursor.execute("SELECT * FROM orders WHERE placer = %s", (placer,))
    row = cursor.fetchone()
    if row is None:
        raise NotFoundError(f"no order {placer}", remedy="`pacslab-ehr orders` lists them.")
    return row


def _order(row: dict[str, Any]) -> Order:
    return Order.of_row(row, filler=row["filler"] or "", accession=row["accession"] or "")
