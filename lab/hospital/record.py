"""The health record (order placer): what people do at it, and what it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from lab.hospital.answers import Answer
from lab.hospital.signed_in import person_for, run_as

if TYPE_CHECKING:
    from lab.hospital.hospital import Hospital

T = TypeVar("T")
COMMAND = "pacslab-ehr"
SCHEDULED_WITHIN = 20
"""Seconds in which an order has to be scheduled, and its number known to the record."""


class Person(Answer):
    """A patient, as the record names them."""

    identifier: str


class Message(Answer):
    """An HL7 message that told somebody else."""

    control_id: str
    state: str


class Registered(Answer):
    """What came of a registration, an update or a merge."""

    patient: Person
    message: Message


class Admission(Answer):
    """Who attends a patient from now on."""

    patient: str
    attending: str


class Order(Answer):
    """An order at the record."""

    placer: str
    status: str
    accession: str | None
    code: str


class Listed(Answer):
    """A result that the record has for an order; one of them is in force."""

    status: str
    in_force: bool
    instance_uid: str


class Finding(Listed):
    """A result, with what it says."""

    report: str


class OrderFile(Answer):
    """Everything that the record has of an order."""

    order: Order
    results: tuple[Listed, ...] = ()


@dataclass(frozen=True)
class Procedure:
    """What is ordered: procedure code, its meaning, and the diagnostic section that performs it (OBR-24)."""

    code: str
    text: str
    section: str


@dataclass(frozen=True)
class Record:
    """The record on its host."""

    hospital: Hospital
    host: str

    @classmethod
    def of(cls, hospital: Hospital) -> Record:
        """The site's.

        Raises:
            UsageError: it has none.
        """
        return cls(hospital, hospital.host("order-placer"))

    def register(self, family: str, given: str) -> Registered:
        """Register a patient (RAD-1)."""
        who = ["--family", family, "--given", given, "--birth-date", "19700412", "--sex", "F"]
        return self._act("register-patient", ["register", *who], Registered)

    def update(self, patient: str, *, family: str) -> Registered:
        """Change a patient's family name (RAD-12)."""
        return self._act("register-patient", ["update", patient, "--family", family], Registered)

    def merge(self, prior: str, *, into: str) -> Registered:
        """Merge a patient's record into another's (RAD-12)."""
        return self._act("register-patient", ["merge", prior, "--into", into], Registered)

    def admit(self, patient: str, attending: str) -> Admission:
        """Admit a patient to somebody's care (RAD-1)."""
        return self._act("register-patient", ["admit", patient, "--attending", attending], Admission)

    def order(self, patient: str, procedure: Procedure) -> Order:
        """Place an order and wait until it is scheduled (RAD-2, RAD-3)."""
        what = ["--code", procedure.code, "--text", procedure.text, "--modality", procedure.section]
        words = ["order", patient, *what, "--wait", str(SCHEDULED_WITHIN)]
        return self._act("place-order", words, OrderFile).order

    def place(self, patient: str, procedure: Procedure) -> str:
        """Place an order and wait for nobody; the placer order number, under which the record has taken it."""
        what = ["--code", procedure.code, "--text", procedure.text, "--modality", procedure.section]
        return self._act("place-order", ["order", patient, *what], OrderFile).order.placer

    def change(self, placer: str, procedure: Procedure) -> None:
        """Change what an order asks for, which has not begun (RAD-2 XO)."""
        what = ["--code", procedure.code, "--text", procedure.text]
        self._act("place-order", ["change", placer, *what], OrderFile)

    def cancel(self, placer: str) -> None:
        """Cancel an order that has not begun (RAD-2 CA)."""
        self._act("place-order", ["cancel", placer], OrderFile)

    def show(self, placer: str) -> OrderFile:
        """What the record has of an order, but for what its reports say."""
        return self.hospital.ask(self.host, [COMMAND, "show", placer, "--json"], OrderFile)

    def results(self, placer: str) -> list[Finding]:
        """The results of an order, with what they say (RAD-28): read by who orders."""
        person = person_for(self.hospital.site, self.host, "place-order")
        return self._as(person, ["results", "--placer", placer], list[Finding])

    def _act(self, action: str, words: list[str], kind: type[T]) -> T:
        """Do something as the first person who may; as nobody where nobody signs in."""
        return self._as(person_for(self.hospital.site, self.host, action), words, kind)

    def _as(self, person: str, words: list[str], kind: type[T]) -> T:
        done = run_as(self.hospital, self.host, [COMMAND, *words], person)
        return self.hospital.answer(done, kind, f"{COMMAND} {' '.join(words)} on {self.host}", self.host)
