"""The radiology information system (order filler): what it knows of an order, and walk-ins where there is no record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lab.hospital.answers import Answer
from lab.hospital.signed_in import person_for, run_as

if TYPE_CHECKING:
    from lab.hospital.hospital import Hospital
    from lab.hospital.record import Procedure

T = TypeVar("T")
COMMAND = "pacslab-ris"


class Requested(Answer):
    """A requested procedure."""

    accession: str
    placer: str
    study_uid: str
    patient_id: str
    status: str


class Scheduled(Answer):
    """A scheduled procedure step."""

    station_ae: str


class Series(Answer):
    """A series that a station says it has acquired."""

    series_uid: str | None
    images: int


class Performed(Answer):
    """A performed procedure step (MPPS)."""

    sop_instance_uid: str
    status: str
    reason: str | None
    images: int
    series: list[Series]


class Available(Answer):
    """How many objects of a study an archive has, and has no more, as it says itself (RAD-49)."""

    ae_title: str
    instances: int
    unavailable: int


class Report(Answer):
    """A report that a workstation has submitted, and the document (SR) that it is of."""

    source: str
    status: str
    report: str
    instance_uid: str


class Message(Answer):
    """An HL7 message about the order."""

    direction: str
    peer: str
    type: str
    state: str


class Course(Answer):
    """Everything that the RIS has of an accession number."""

    procedure: Requested
    steps: list[Scheduled]
    performed_steps: list[Performed]
    availability: list[Available]
    missing: list[str]
    reports: list[Report]
    messages: list[Message]


class Told(Answer):
    """An archive that a rejection note is for, and whether it has taken the note."""

    archive: str
    state: str


class Rejection(Answer):
    """Images that somebody asks to be rejected, what somebody else has decided, and which archives were told."""

    id: int
    accession: str
    title: str
    state: str
    instances: list[str]
    asked_by: str
    decided_by: str | None
    archives: list[Told]


class WalkIn(Answer):
    """A patient who was taken down at the RIS."""

    patient: str


class WalkInOrder(Answer):
    """A procedure that somebody has scheduled, or cancelled, at the RIS."""

    procedure: Requested


@dataclass(frozen=True)
class Ris:
    """The RIS on its host."""

    hospital: Hospital
    host: str

    @classmethod
    def of(cls, hospital: Hospital) -> Ris:
        """The site's.

        Raises:
            UsageError: it has none.
        """
        return cls(hospital, hospital.host("order-filler"))

    def show(self, accession: str) -> Course:
        """Everything that the RIS has of an accession number."""
        return self.hospital.ask(self.host, [COMMAND, "show", accession, "--json"], Course)

    def rejections(self, accession: str) -> list[Rejection]:
        """The rejections of an accession number, the oldest first."""
        return self.hospital.ask(
            self.host, [COMMAND, "rejections", "--accession", accession, "--json"], list[Rejection]
        )

    def register(self, family: str, given: str) -> str:
        """Take down a patient, where no record does; returns the identifier."""
        who = ["--family", family, "--given", given, "--birth-date", "19700412", "--sex", "F"]
        return self._schedule(["register", *who], WalkIn).patient

    def order(self, patient: str, procedure: Procedure) -> Requested:
        """Take down an order, where no record does."""
        what = ["--code", procedure.code, "--text", procedure.text, "--modality", procedure.section]
        return self._schedule(["order", patient, *what], WalkInOrder).procedure

    def cancel(self, accession: str) -> Requested:
        """Cancel a procedure that has not begun (RAD-3, RAD-13)."""
        return self._schedule(["cancel", accession], WalkInOrder).procedure

    def _schedule(self, words: list[str], kind: type[T]) -> T:
        """Do something as the first person who schedules; as nobody where nobody signs in."""
        person = person_for(self.hospital.site, self.host, "schedule")
        done = run_as(self.hospital, self.host, [COMMAND, *words], person)
        return self.hospital.answer(done, kind, f"{COMMAND} {' '.join(words)} on {self.host}", self.host)
