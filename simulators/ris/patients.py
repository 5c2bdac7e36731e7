"""Patients of the RIS: registered, updated and merged as the EHR says; image managers are told (RAD-1, RAD-12)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.events.actions import MERGE_PATIENTS
from simulators.events.report import write_event
from simulators.hl7content import adt, merge, needed, patient_of
from simulators.hl7receiver import HL7ProblemError
from simulators.ris.record import find_patient
from simulators.ris.tell import Teller

if TYPE_CHECKING:
    from simulators.database import Cursor
    from simulators.hl7content import Patient
    from simulators.hl7messages import Message
    from simulators.settings import Settings


@dataclass(frozen=True)
class Patients:
    """Deals with ADT messages."""

    settings: Settings

    def register(self, cursor: Cursor, _: str, message: Message) -> None:
        """ADT^A04: keep the patient, who may be known already."""
        keep(cursor, patient_of(message))

    def update(self, cursor: Cursor, _: str, message: Message) -> None:
        """ADT^A08: change what is kept and pass it on."""
        patient = patient_of(message)
        keep(cursor, patient)
        Teller(self.settings).image_managers(cursor, "ADT^A08", lambda envelope: adt(envelope, "A08", patient))

    def merge(self, cursor: Cursor, _: str, message: Message) -> None:
        """ADT^A40: the prior identifier's procedures become the surviving patient's; pass it on."""
        surviving, prior = patient_of(message), needed(message, "MRG", 1)
        if prior == surviving.identifier:
            raise HL7ProblemError(reasons.CONTENT, 103, "MRG-1 is PID-3", location=("MRG", "1", "1"))
        if needed(message, "MRG", 1, 4) != surviving.authority:
            raise HL7ProblemError(reasons.CONTENT, 103, "MRG-1 is of another authority", location=("MRG", "1", "1"))
        if find_patient(cursor, prior) is None:
            raise HL7ProblemError(reasons.UNKNOWN_PATIENT, 204, f"no patient {prior} here", location=("MRG", "1", "1"))
        keep(cursor, surviving)
        cursor.execute(
            "UPDATE patients SET merged_into = %s, changed = now() WHERE patient_id = %s OR merged_into = %s",
            (surviving.identifier, prior, prior),
        )
        cursor.execute("UPDATE procedures SET patient_id = %s WHERE patient_id = %s", (surviving.identifier, prior))
        moved = cursor.rowcount
        Teller(self.settings).image_managers(cursor, "ADT^A40", lambda envelope: merge(envelope, surviving, prior))
        write_event(MERGE_PATIENTS, patient=surviving.identifier, prior=prior, moved=moved)


def keep(cursor: Cursor, patient: Patient) -> None:
    """Keep a patient under their identifier.

    Raises:
        HL7ProblemError: the identifier was merged into another, or is another authority's.
    """
    cursor.execute(
        "INSERT INTO patients (patient_id, authority, family, given, birth_date, sex)"
        " VALUES (%(identifier)s, %(authority)s, %(family)s, %(given)s, %(birth_date)s, %(sex)s)"
        " ON CONFLICT (patient_id) DO UPDATE SET family = excluded.family, given = excluded.given,"
        " birth_date = excluded.birth_date, sex = excluded.sex, changed = now()"
        " WHERE patients.merged_into IS NULL AND patients.authority = excluded.authority",
        asdict(patient),
    )
    if cursor.rowcount == 0:
        raise HL7ProblemError(
            reasons.OTHER_PATIENT, 204, "the identifier was merged, or another authority's", location=("PID", "1", "3")
        )
