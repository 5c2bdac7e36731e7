"""Patients of the RIS: registered, updated and merged as the EHR says; image managers are told (RAD-1, RAD-12)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.events.actions import MERGE_PATIENTS
from simulators.events.report import write_event
from simulators.hl7content import adt, is_identifier, merge, needed, patient_of
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
        """ADT^A01, A04 or A05: keep the patient; of one who is known already, tell image managers what has changed."""
        patient = patient_of(message)
        known = find_patient(cursor, patient.identifier)
        keep(cursor, patient)
        if known not in {None, patient}:
            self._tell_update(cursor, patient)

    def leave(self, _: Cursor, __: str, message: Message) -> None:
        """ADT^A03 or A11: a visit ends, or never was; the patient and their procedures stay as they are."""
        patient_of(message)

    def update(self, cursor: Cursor, _: str, message: Message) -> None:
        """ADT^A08: change what is kept and pass it on."""
        patient = patient_of(message)
        keep(cursor, patient)
        self._tell_update(cursor, patient)

    def _tell_update(self, cursor: Cursor, patient: Patient) -> None:
        Teller(self.settings).image_managers(cursor, "ADT^A08", lambda envelope: adt(envelope, "A08", patient))

    def merge(self, cursor: Cursor, _: str, message: Message) -> None:
        """ADT^A40: each prior identifier's procedures become the surviving patient's; pass it on.

        Image managers may have images of a prior identifier that was never registered here.
        """
        for pair in message.groups("PID"):
            self._merge(cursor, pair)

    def _merge(self, cursor: Cursor, message: Message) -> None:
        surviving, prior = patient_of(message), needed(message, "MRG", 1)
        if not is_identifier(prior):
            raise HL7ProblemError(reasons.CONTENT, 102, "MRG-1 cannot be a Patient ID", location=("MRG", "1", "1"))
        if prior == surviving.identifier:
            raise HL7ProblemError(reasons.CONTENT, 103, "MRG-1 is PID-3", location=("MRG", "1", "1"))
        if (message.get("MRG", 1, 4) or message.get("MSH", 4)) != surviving.authority:
            raise HL7ProblemError(reasons.CONTENT, 103, "MRG-1 is of another authority", location=("MRG", "1", "1"))
        keep(cursor, surviving)
        cursor.execute(
            "INSERT INTO patients (patient_id, authority, family, given, birth_date, sex, merged_into)"
            " VALUES (%(prior)s, %(authority)s, %(family)s, %(given)s, %(birth_date)s, %(sex)s, %(identifier)s)"
            " ON CONFLICT (patient_id) DO UPDATE SET merged_into = excluded.merged_into, changed = now()"
            " WHERE patients.authority = excluded.authority",
            {**asdict(surviving), "prior": prior},
        )
        if cursor.rowcount == 0:
            raise HL7ProblemError(
                reasons.OTHER_PATIENT, 204, "MRG-1 is another authority's", location=("MRG", "1", "1")
            )
        cursor.execute(
            "UPDATE patients SET merged_into = %s, changed = now() WHERE merged_into = %s",
            (surviving.identifier, prior),
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
