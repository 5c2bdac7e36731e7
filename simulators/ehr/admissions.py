"""Admissions of the record: who attends whom, and until when; the RIS is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.ehr.record import Record, find_patient
from simulators.errors import ArgumentError
from simulators.events.actions import ADMIT, DISCHARGE
from simulators.hl7content import adt
from simulators.hl7exchange import enqueue

if TYPE_CHECKING:
    import argparse

    from simulators.command_line import Result
    from simulators.database import Cursor
    from simulators.hl7content import Patient
    from simulators.settings import Settings

INPATIENT = "I"
"""PV1-2."""


def admit(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Admit a patient to somebody's care and send ADT^A01; who attended before does so no longer."""
    record = Record(settings)
    with record.database.transaction() as cursor:
        patient = find_patient(cursor, arguments.patient)
        arguments.acting.require(patient.identifier, record.relations)
        _end_admission(cursor, patient)
        cursor.execute(
            "INSERT INTO admissions (patient_id, attending) VALUES (%s, %s)", (patient.identifier, arguments.attending)
        )
        number = enqueue(
            cursor, settings, record.ris,
            lambda envelope: adt(envelope, "A01", patient, INPATIENT, attending=arguments.attending),
        )  # fmt: skip
    return record.told(
        number,
        {"patient": patient.identifier, "attending": arguments.attending},
        f"patient {patient.identifier} admitted",
        action=ADMIT,
        patient=patient.identifier,
    )


def discharge(arguments: argparse.Namespace, settings: Settings) -> Result:
    """End a patient's admission and send ADT^A03."""
    record = Record(settings)
    with record.database.transaction() as cursor:
        patient = find_patient(cursor, arguments.patient)
        arguments.acting.require(patient.identifier, record.relations)
        if not _end_admission(cursor, patient):
            raise ArgumentError(
                f"patient {patient.identifier} is not admitted", remedy="`pacslab-ehr admit` admits a patient."
            )
        number = enqueue(cursor, settings, record.ris, lambda envelope: adt(envelope, "A03", patient, INPATIENT))
    return record.told(
        number,
        {"patient": patient.identifier},
        f"patient {patient.identifier} discharged",
        action=DISCHARGE,
        patient=patient.identifier,
    )


def _end_admission(cursor: Cursor, patient: Patient) -> bool:
    """End a patient's admission; tell whether there was one."""
    cursor.execute(
        "UPDATE admissions SET discharged = now() WHERE patient_id = %s AND discharged IS NULL", (patient.identifier,)
    )
    return cursor.rowcount > 0
