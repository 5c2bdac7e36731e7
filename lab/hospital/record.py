"""The health record (order placer): what people do at it, and what it knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.hospital.answers import Answer

if TYPE_CHECKING:
    from lab.hospital.hospital import Hospital

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


class Order(Answer):
    """An order at the record."""

    placer: str
    status: str
    accession: str | None
    code: str


class Finding(Answer):
    """A result that was reported for an order; one of them is in force."""

    status: str
    report: str
    in_force: bool
    instance_uid: str


class OrderFile(Answer):
    """Everything that the record has of an order."""

    order: Order
    results: tuple[Finding, ...] = ()


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
        return self.hospital.ask(self.host, [COMMAND, "register", *who, "--json"], Registered)

    def update(self, patient: str, *, family: str) -> Registered:
        """Change a patient's family name (RAD-12)."""
        return self.hospital.ask(self.host, [COMMAND, "update", patient, "--family", family, "--json"], Registered)

    def merge(self, prior: str, *, into: str) -> Registered:
        """Merge a patient's record into another's (RAD-12)."""
        return self.hospital.ask(self.host, [COMMAND, "merge", prior, "--into", into, "--json"], Registered)

    def order(self, patient: str, procedure: Procedure) -> Order:
        """Place an order and wait until it is scheduled (RAD-2, RAD-3)."""
        what = ["--code", procedure.code, "--text", procedure.text, "--modality", procedure.section]
        argv = [COMMAND, "order", patient, *what, "--wait", str(SCHEDULED_WITHIN), "--json"]
        return self.hospital.ask(self.host, argv, OrderFile).order

    def place(self, patient: str, procedure: Procedure) -> str:
        """Place an order and wait for nobody; the placer order number, under which the record has taken it."""
        what = ["--code", procedure.code, "--text", procedure.text, "--modality", procedure.section]
        return self.hospital.ask(self.host, [COMMAND, "order", patient, *what, "--json"], OrderFile).order.placer

    def change(self, placer: str, procedure: Procedure) -> None:
        """Change what an order asks for, which has not begun (RAD-2 XO)."""
        what = ["--code", procedure.code, "--text", procedure.text]
        self.hospital.ask(self.host, [COMMAND, "change", placer, *what, "--json"], OrderFile)

    def cancel(self, placer: str) -> None:
        """Cancel an order that has not begun (RAD-2 CA)."""
        self.hospital.ask(self.host, [COMMAND, "cancel", placer, "--json"], OrderFile)

    def show(self, placer: str) -> OrderFile:
        """Everything that the record has of an order."""
        return self.hospital.ask(self.host, [COMMAND, "show", placer, "--json"], OrderFile)
