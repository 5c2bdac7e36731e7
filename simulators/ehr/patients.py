"""Patients of the record: register, update, merge, list; each change is told to the RIS."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from simulators.command_line import Result, table
from simulators.database import one
from simulators.ehr.record import Record, find_patient
from simulators.errors import ArgumentError
from simulators.events.actions import MERGE_PATIENTS, REGISTER, UPDATE_PATIENT
from simulators.hl7content import Patient, adt, require_sound
from simulators.hl7content import merge as merge_message
from simulators.hl7exchange import enqueue

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings


def register(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Register a patient and send ADT^A04."""
    record = Record(settings)
    with record.database.transaction() as cursor:
        identifier = arguments.id
        if identifier is None:
            cursor.execute("SELECT 'P' || lpad(nextval('patient_numbers')::text, 7, '0') AS id")
            identifier = one(cursor)["id"]
        patient = Patient(
            identifier, record.authority, arguments.family, arguments.given, arguments.birth_date, arguments.sex
        )
        require_sound(patient)
        cursor.execute(
            "INSERT INTO patients (patient_id, authority, family, given, birth_date, sex, patient_class)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
            (*asdict(patient).values(), arguments.patient_class),
        )
        if cursor.rowcount == 0:
            raise ArgumentError(
                f"there is a patient {identifier} already", remedy="Use `update`, or another identifier."
            )
        number = enqueue(
            cursor, settings, record.ris, lambda envelope: adt(envelope, "A04", patient, arguments.patient_class)
        )
    return record.told(
        number,
        {"patient": asdict(patient)},
        f"patient {identifier} registered",
        action=REGISTER,
        patient=identifier,
    )


def update(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Change a patient's demographics and send ADT^A08."""
    record = Record(settings)
    named = {name: getattr(arguments, name) for name in ("family", "given", "birth_date", "sex")}
    changes = {name: value for name, value in named.items() if value is not None}
    if not changes:
        raise ArgumentError("nothing to change", remedy="Give at least one of --family --given --birth-date --sex.")
    with record.database.transaction() as cursor:
        patient = replace(find_patient(cursor, arguments.patient), **changes)
        arguments.acting.require(patient.identifier, record.relations)
        require_sound(patient)
        cursor.execute(
            "UPDATE patients SET family = %(family)s, given = %(given)s, birth_date = %(birth_date)s, sex = %(sex)s"
            " WHERE patient_id = %(identifier)s",
            asdict(patient),
        )
        number = enqueue(cursor, settings, record.ris, lambda envelope: adt(envelope, "A08", patient))
    return record.told(
        number,
        {"patient": asdict(patient)},
        f"patient {patient.identifier} updated",
        action=UPDATE_PATIENT,
        patient=patient.identifier,
    )


def merge(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Merge one patient's record into another's and send ADT^A40; orders and results go along."""
    record = Record(settings)
    if arguments.prior == arguments.into:
        raise ArgumentError("a patient cannot be merged into themselves", remedy="Name two patients.")
    with record.database.transaction() as cursor:
        prior = find_patient(cursor, arguments.prior)
        surviving = find_patient(cursor, arguments.into)
        for patient in (prior, surviving):
            arguments.acting.require(patient.identifier, record.relations)
        cursor.execute(
            "UPDATE patients SET merged_into = %s WHERE patient_id = %s OR merged_into = %s",
            (surviving.identifier, prior.identifier, prior.identifier),
        )
        cursor.execute(
            "UPDATE orders SET patient_id = %s WHERE patient_id = %s", (surviving.identifier, prior.identifier)
        )
        moved = cursor.rowcount
        cursor.execute(
            "UPDATE admissions SET patient_id = %s WHERE patient_id = %s", (surviving.identifier, prior.identifier)
        )
        number = enqueue(
            cursor, settings, record.ris, lambda envelope: merge_message(envelope, surviving, prior.identifier)
        )
    return record.told(
        number,
        {"patient": asdict(surviving), "prior": prior.identifier, "orders_moved": moved},
        f"patient {prior.identifier} merged into {surviving.identifier}, {moved} orders moved",
        action=MERGE_PATIENTS,
        patient=surviving.identifier,
        prior=prior.identifier,
    )


def listing(_: argparse.Namespace, settings: Settings) -> Result:
    """List patients."""
    with Record(settings).database.transaction() as cursor:
        cursor.execute("SELECT * FROM patients ORDER BY patient_id")
        rows = cursor.fetchall()
    return Result(rows, table(rows, ("patient_id", "family", "given", "birth_date", "sex", "merged_into")))
