"""Patients and orders of a practice that has no electronic health record: taken down at the RIS itself.

Where a flow lets a record send orders, patients and orders are the record's to number, and both verbs refuse.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.command_line import Result
from simulators.database import Database, one
from simulators.errors import ArgumentError, NotFoundError
from simulators.events.actions import REGISTER
from simulators.events.report import write_event
from simulators.hl7content import Code, Order, Patient, order_kind, require_sound
from simulators.ris.filler import Filler
from simulators.ris.patients import keep
from simulators.ris.record import STEPS, find_patient, find_procedure
from simulators.ris.stations import stations

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def register(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Register a patient under the next number.

    Raises:
        ArgumentError: a record registers this site's patients, or a value cannot be kept.
    """
    _only_without_record(settings)
    with _open(settings).transaction() as cursor:
        cursor.execute("SELECT 'W' || lpad(nextval('patient_numbers')::text, 7, '0') AS id")
        patient = Patient(
            one(cursor)["id"],
            settings.site.name.upper(),
            arguments.family,
            arguments.given,
            arguments.birth_date,
            arguments.sex,
        )
        require_sound(patient)
        keep(cursor, patient)
    write_event(REGISTER, patient=patient.identifier)
    return Result({"patient": patient.identifier}, f"patient {patient.identifier} registered")


def order(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Order a procedure and schedule it; image managers are told by the service.

    Raises:
        ArgumentError: a record places this site's orders, or no station performs the modality.
        NotFoundError: the patient is not registered.
    """
    _only_without_record(settings)
    candidates = stations(settings, arguments.modality)
    if not candidates:
        raise ArgumentError(
            f"no station performs {arguments.modality}",
            remedy="A station is a host with that modality and a flow to this host that permits MWL.",
        )
    with _open(settings).transaction() as cursor:
        patient = find_patient(cursor, arguments.patient)
        if patient is None:
            raise NotFoundError(f"no patient {arguments.patient}", remedy="Register the patient first.")
        cursor.execute("SELECT 'O' || lpad(nextval('walk_in_numbers')::text, 7, '0') AS placer")
        placed = Order(
            placer=one(cursor)["placer"],
            code=Code(arguments.code, arguments.text, arguments.scheme),
            modality=arguments.modality,
            reason=arguments.reason,
            provider=arguments.provider,
        )
        accession = Filler(settings).schedule(cursor, placed, patient.identifier, candidates)
        procedure = find_procedure(cursor, accession)
    return Result({"procedure": procedure}, f"order {placed.placer} scheduled as {accession}")


def _only_without_record(settings: Settings) -> None:
    senders = [caller for caller in settings.find_callers("hl7-tls") if order_kind(caller.permits)]
    if senders:
        name = senders[0].name
        raise ArgumentError(
            f"patients and orders of this site come from {name}", remedy=f"Use `pacslab-ehr` on {name}."
        )


def _open(settings: Settings) -> Database:
    database = Database(settings)
    database.migrate(STEPS)
    return database
