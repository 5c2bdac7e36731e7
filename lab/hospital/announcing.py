"""An examination that an archive expects: ordered as the hospital does it, and waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.deadline import wait_until
from lab.hospital.errors import HospitalError
from lab.hospital.image_manager import procedures
from lab.hospital.record import Procedure, Record
from lab.hospital.ris import Ris

if TYPE_CHECKING:
    from lab.hospital.hospital import Hospital
    from lab.hospital.image_manager import KeptProcedure

REGISTRATION = "ADT^A04"
TOLD_WITHIN = 60.0
"""Seconds in which an archive has to be told of an order."""
POLL = 0.25


def announce(hospital: Hospital, archive: str, section: str, family: str) -> KeptProcedure:
    """Register a patient and order an examination of a section; return it once an archive knows of it (RAD-4).

    Raises:
        HospitalError: the archive is not told.
    """
    ris = hospital.host("order-filler")
    record = next((flow.source for flow in hospital.site.flows_in(ris) if REGISTRATION in flow.permits), "")
    procedure = Procedure(f"{section}TRIAL", f"{section} for a trial", section)
    if record:
        patient = Record(hospital, record).register(family, "Object").patient.identifier
        accession = Record(hospital, record).order(patient, procedure).accession or ""
    else:
        patient = Ris(hospital, ris).register(family, "Object")
        accession = Ris(hospital, ris).order(patient, procedure).accession

    def told() -> KeptProcedure | None:
        return next((kept for kept in procedures(hospital, archive) if kept.accession == accession), None)

    found = wait_until(told, TOLD_WITHIN, POLL)
    if found is None:
        raise HospitalError(
            f"{archive} was not told of procedure {accession}.", remedy=f"See `pacslab-ris outbox` on {ris}."
        )
    return found
