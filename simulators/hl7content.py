"""Patients, orders and reports as they stand in HL7 v2.5.1 segments: the one place where fields are numbered.

Fields follow IHE RAD TF-2: RAD-1 and RAD-12 (ADT), RAD-2, RAD-3 and RAD-4 (ORM), RAD-24 and RAD-28 (ORU).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from simulators.events import reasons
from simulators.hl7messages import Message, Party, header, join, segment, timestamp
from simulators.hl7receiver import HL7ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.hl7messages import Value

SEXES = frozenset({"M", "F", "O", "U", "A", "N"})
"""HL7 table 0001."""


@dataclass(frozen=True)
class Patient:
    """Who a patient is; ``authority`` assigned the identifier, ``birth_date`` is YYYYMMDD or empty."""

    identifier: str
    authority: str
    family: str
    given: str
    birth_date: str
    sex: str

    @classmethod
    def of_row(cls, row: Mapping[str, str]) -> Patient:
        """Return the patient of a row of table ``patients``, as record and RIS have it."""
        return cls(row["patient_id"], row["authority"], row["family"], row["given"], row["birth_date"], row["sex"])

    @property
    def dicom_name(self) -> str:
        """PatientName (0010,0010), a PN."""
        return f"{self.family}^{self.given}".rstrip("^")

    @property
    def dicom_sex(self) -> str:
        """PatientSex (0010,0040), which knows M, F and O alone."""
        return self.sex if self.sex in {"M", "F", "O"} else ("" if self.sex == "U" else "O")


@dataclass(frozen=True)
class Code:
    """A code, its meaning and its scheme (CE; a DICOM code sequence item)."""

    value: str
    meaning: str
    scheme: str

    def field(self) -> Value:
        """Return it as a CE."""
        return (self.value, self.meaning, self.scheme)


@dataclass(frozen=True)
class Order:
    """An imaging order; what the filler assigns is empty until it has."""

    placer: str
    code: Code
    modality: str
    priority: str = "R"
    reason: str = ""
    provider: str = ""
    scheduled: str = ""
    """TQ1-7, a DTM; empty: now."""
    filler: str = ""
    accession: str = ""
    procedure_id: str = ""
    step_id: str = ""
    study_uid: str = ""

    @classmethod
    def of_row(cls, row: Mapping[str, str], **assigned: str) -> Order:
        """Return the order of a row with :meth:`columns`, with what the filler has assigned."""
        code = Code(row["code"], row["description"], row["scheme"])
        named = {name: row[name] for name in ("placer", "modality", "priority", "reason", "provider")}
        return cls(code=code, **named, **assigned)

    def columns(self) -> dict[str, str]:
        """Return what was ordered, under the names of the columns in which record and RIS keep it."""
        return {
            "placer": self.placer,
            "code": self.code.value,
            "description": self.code.meaning,
            "scheme": self.code.scheme,
            "modality": self.modality,
            "priority": self.priority,
            "reason": self.reason,
            "provider": self.provider,
        }


@dataclass(frozen=True)
class Status:
    """The state of an order as ORC-5 (table 0038) and OBR-25 (table 0123) tell it, with a reason (ORC-16)."""

    order: str
    result: str
    reason: Code | None = None


@dataclass(frozen=True)
class Report:
    """A report of an imaging study; ``status`` is OBR-25: P preliminary, F final, C corrected."""

    accession: str
    study_uid: str
    code: Code
    author: str
    status: str
    text: str
    placer: str = ""
    filler: str = ""


@dataclass(frozen=True)
class Envelope:
    """Who sends a message to whom, under which control id (MSH-10)."""

    sender: Party
    receiver: Party
    control_id: str

    def header(self, *kind: str) -> str:
        """Return MSH for a message of a kind (MSH-9)."""
        return header(self.sender, self.receiver, kind, self.control_id)


def pid(patient: Patient) -> str:
    """Return the PID segment."""
    return segment(
        "PID",
        {
            1: "1",
            3: (patient.identifier, None, None, patient.authority, "MR"),
            5: (patient.family, patient.given, None, None, None, None, "L"),
            7: patient.birth_date,
            8: patient.sex,
        },
    )


def patient_of(message: Message) -> Patient:
    """Read PID.

    Raises:
        HL7ProblemError: PID-3, its assigning authority or PID-5 is missing, or a date or the sex is wrong.
    """
    patient = Patient(
        identifier=needed(message, "PID", 3),
        authority=needed(message, "PID", 3, 4),
        family=needed(message, "PID", 5),
        given=message.get("PID", 5, 2),
        birth_date=message.get("PID", 7),
        sex=message.get("PID", 8) or "U",
    )
    if patient.sex not in SEXES:
        raise HL7ProblemError(reasons.CONTENT, 103, "PID-8 is not of table 0001", location=("PID", "1", "8"))
    if patient.birth_date:
        try:
            datetime.strptime(patient.birth_date, "%Y%m%d")  # noqa: DTZ007 - a date of birth has no time zone
        except ValueError as error:
            raise HL7ProblemError(reasons.CONTENT, 102, "PID-7 is not YYYYMMDD", location=("PID", "1", "7")) from error
    return patient


def needed(message: Message, name: str, field: int, component: int = 1) -> str:
    """Return a value that may not be empty.

    Raises:
        HL7ProblemError: it is.
    """
    value = message.get(name, field, component)
    if not value:
        where = f"{name}-{field}" + (f".{component}" if component > 1 else "")
        raise HL7ProblemError(reasons.CONTENT, 101, f"{where} is empty", location=(name, "1", str(field)))
    return value


def adt(envelope: Envelope, event: str, patient: Patient, patient_class: str = "O") -> str:
    """Return ADT^A04 (register, RAD-1) or ADT^A08 (update, RAD-12)."""
    return join(
        envelope.header("ADT", event, "ADT_A01"),
        segment("EVN", {2: timestamp()}),
        pid(patient),
        segment("PV1", {1: "1", 2: patient_class}),
    )


def merge(envelope: Envelope, surviving: Patient, prior: str) -> str:
    """Return ADT^A40 (RAD-12): the identifier `prior` of the same authority becomes `surviving`'s."""
    return join(
        envelope.header("ADT", "A40", "ADT_A39"),
        segment("EVN", {2: timestamp()}),
        pid(surviving),
        segment("MRG", {1: (prior, None, None, surviving.authority, "MR")}),
    )


def order_message(
    envelope: Envelope, control: str, patient: Patient, order: Order, status: Status | None = None
) -> str:
    """Return ORM^O01; `control` is ORC-1: NW new, CA cancel, SC status changed (RAD-2, RAD-3, RAD-4)."""
    orc: dict[int, Value] = {
        1: control,
        2: order.placer,
        3: order.filler,
        9: timestamp(),
        12: _provider(order.provider),
    }
    obr: dict[int, Value] = {
        1: "1",
        2: order.placer,
        3: order.filler,
        4: order.code.field(),
        16: _provider(order.provider),
        18: order.accession,
        19: order.procedure_id,
        20: order.step_id,
        24: order.modality,
        31: (None, order.reason) if order.reason else None,
    }
    if status is not None:
        orc[5] = status.order
        orc[16] = status.reason.field() if status.reason else None
        obr[25] = status.result
    segments = [
        envelope.header("ORM", "O01", "ORM_O01"),
        pid(patient),
        segment("PV1", {1: "1", 2: "O"}),
        segment("ORC", orc),
        segment("TQ1", {1: "1", 7: order.scheduled, 9: (order.priority,)}),
        segment("OBR", obr),
    ]
    if order.study_uid:
        segments.append(segment("ZDS", {1: (order.study_uid, envelope.sender.application, "Application", "DICOM")}))
    return join(*segments)


def order_of(message: Message) -> Order:
    """Read ORC, TQ1, OBR and ZDS of an ORM^O01.

    Raises:
        HL7ProblemError: ORC-2 or OBR-4 is empty, or OBR-2 contradicts ORC-2.
    """
    placer = needed(message, "ORC", 2)
    if message.get("OBR", 2) not in {"", placer}:
        raise HL7ProblemError(reasons.CONTENT, 103, "OBR-2 is not ORC-2", location=("OBR", "1", "2"))
    return Order(
        placer=placer,
        code=Code(needed(message, "OBR", 4), message.get("OBR", 4, 2), message.get("OBR", 4, 3)),
        modality=message.get("OBR", 24),
        priority=message.get("TQ1", 9) or "R",
        reason=message.get("OBR", 31, 2),
        provider=message.get("ORC", 12, 2),
        scheduled=message.get("TQ1", 7),
        filler=message.get("ORC", 3),
        accession=message.get("OBR", 18),
        procedure_id=message.get("OBR", 19),
        step_id=message.get("OBR", 20),
        study_uid=message.get("ZDS", 1),
    )


def status_of(message: Message) -> Status:
    """Read ORC-5, OBR-25 and ORC-16 of an ORM^O01."""
    reason = Code(message.get("ORC", 16), message.get("ORC", 16, 2), message.get("ORC", 16, 3))
    return Status(needed(message, "ORC", 5), message.get("OBR", 25), reason if reason.value else None)


def report_message(envelope: Envelope, patient: Patient, report: Report) -> str:
    """Return ORU^R01 (RAD-24, RAD-28); each line of the text is an OBX of type TX, coded as LOINC 18748-4."""
    when = timestamp()
    lines = report.text.splitlines() or [""]
    return join(
        envelope.header("ORU", "R01", "ORU_R01"),
        pid(patient),
        segment("ORC", {1: "RE", 2: report.placer, 3: report.filler}),
        segment(
            "OBR",
            {
                1: "1",
                2: report.placer,
                3: report.filler,
                4: report.code.field(),
                18: report.accession,
                22: when,
                25: report.status,
                32: ((None, report.author),) if report.author else None,
            },
        ),
        *(
            segment(
                "OBX",
                {
                    1: str(number),
                    2: "TX",
                    3: ("18748-4", "Diagnostic imaging report", "LN"),
                    4: str(number),
                    5: line,
                    11: report.status,
                    14: when,
                },
            )
            for number, line in enumerate(lines, start=1)
        ),
        *(
            [segment("ZDS", {1: (report.study_uid, envelope.sender.application, "Application", "DICOM")})]
            if report.study_uid
            else []
        ),
    )


def report_of(message: Message) -> Report:
    """Read the report of an ORU^R01.

    Raises:
        HL7ProblemError: OBR-18 (accession number) or OBR-4 is empty, or OBR-25 is not P, F or C.
    """
    status = needed(message, "OBR", 25)
    if status not in {"P", "F", "C"}:
        raise HL7ProblemError(reasons.CONTENT, 103, "OBR-25 is not P, F or C", location=("OBR", "1", "25"))
    return Report(
        accession=needed(message, "OBR", 18),
        study_uid=message.get("ZDS", 1),
        code=Code(needed(message, "OBR", 4), message.get("OBR", 4, 2), message.get("OBR", 4, 3)),
        author=message.get("OBR", 32, 1, sub=2),
        status=status,
        text="\n".join(
            message.get("OBX", 5, occurrence=number)
            for number in range(1, message.count("OBX") + 1)
            if message.get("OBX", 2, occurrence=number) in {"TX", "FT", "ST"}
        ),
        placer=message.get("ORC", 2),
        filler=message.get("ORC", 3),
    )


def _provider(name: str) -> Value:
    return (None, name) if name else None
