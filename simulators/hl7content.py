"""Patients, orders and reports as they stand in HL7 v2 segments: the one place where fields are numbered.

Fields follow IHE RAD TF-2: RAD-1 and RAD-12 (ADT), RAD-2, RAD-3 and RAD-4 (ORM, or OMG and OMI as of SWF.b), RAD-28 and
RAD-128 (ORU). What is read may be of any version of :data:`simulators.hl7messages.VERSIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from simulators.dicom_text import LONGEST_ID, LONGEST_NAME, NAME_DELIMITERS, is_uid
from simulators.errors import ArgumentError
from simulators.events import reasons
from simulators.hl7messages import Message, Party, header, join, segment, timestamp
from simulators.hl7receiver import HL7ProblemError
from simulators.printable import hides

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    entered_by: str = ""
    """ORC-10: who placed, changed or cancelled it, by the name at sign-on."""
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
    """A report of an imaging study; ``status`` is OBR-25: P preliminary, F final, C corrected.

    ``series_uid`` and ``instance_uid`` are those of the document (SR) that has it in DICOM.
    """

    accession: str
    study_uid: str
    code: Code
    author: str
    status: str
    text: str
    placer: str = ""
    filler: str = ""
    series_uid: str = ""
    instance_uid: str = ""

    def replaces(self, status: str) -> bool:
        """Tell whether it takes the place of a report of this status, whichever of the two came first."""
        return REPORT_STATUSES.index(self.status) >= REPORT_STATUSES.index(status)


REPORT_STATUSES = ("P", "F", "C")
"""OBR-25 (table 0123) of reports, each of which replaces its own kind and those before it."""


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

    Of several identifiers it is the medical record number, or else the first one; of several names the legal one, or
    else the first. An identifier whose assigning authority is not named was assigned by the sending facility (MSH-4).

    Raises:
        HL7ProblemError: PID-3 or PID-5 is missing, a date or the sex is wrong, or a value cannot be a DICOM one.
    """
    needed(message, "PID", 3)
    needed(message, "PID", 5)
    identifier = _chosen(message.repetitions("PID", 3), 5, ("MR", "PI"))
    name = _chosen(message.repetitions("PID", 5), 7, ("L",))
    patient = Patient(
        identifier=identifier[0],
        authority=_component_of(identifier, 4) or message.get("MSH", 4),
        family=name[0],
        given=_component_of(name, 2),
        birth_date=_day(message.get("PID", 7)),
        sex=message.get("PID", 8) or "U",
    )
    problem = problem_of(patient)
    if problem is not None:
        field, code, text = problem
        raise HL7ProblemError(reasons.CONTENT, code, f"PID-{field} {text}", location=("PID", "1", str(field)))
    return patient


def problem_of(patient: Patient) -> tuple[int, int, str] | None:
    """Tell what of a patient cannot be kept, or could not be said in DICOM: field of PID, code of table 0357, words."""
    name = (patient.family, patient.given)
    rules = (
        (patient.sex not in SEXES, 8, 103, "is not of table 0001"),
        (not _is_date(patient.birth_date), 7, 102, "is not YYYYMMDD"),
        (not patient.identifier, 3, 101, "is empty"),
        (not patient.family, 5, 101, "is empty"),
        (not is_identifier(patient.identifier), 3, 102, "cannot be a Patient ID: too long, or a character in it"),
        (not is_identifier(patient.authority), 3, 102, "cannot be an issuer: too long, or a character in it"),
        (len(patient.dicom_name) > LONGEST_NAME, 5, 102, f"is longer than {LONGEST_NAME} characters"),
        (any(NAME_DELIMITERS & set(part) or hides(part, name=True) for part in name), 5, 102, "cannot be a DICOM name"),
    )
    return next(((field, code, text) for broken, field, code, text in rules if broken), None)


def require_sound(patient: Patient) -> None:
    """Refuse what somebody typed in of a patient and cannot be kept.

    Raises:
        ArgumentError: :func:`problem_of` has found something.
    """
    problem = problem_of(patient)
    if problem is not None:
        field, _, text = problem
        raise ArgumentError(f"{_PID_WORDS[field]} {text}", remedy="Give it otherwise.")


_PID_WORDS = {3: "the identifier", 5: "the name", 7: "the date of birth", 8: "the sex"}


def is_identifier(text: str) -> bool:
    """Tell whether a number or name can be one value of a DICOM attribute (LO), and hides nothing."""
    return len(text) <= LONGEST_ID and "\\" not in text and not hides(text, name=True)


def _is_date(text: str) -> bool:
    """Tell whether it is a date, or left open."""
    try:
        return not text or (len(text) == 8 and bool(datetime.strptime(text, "%Y%m%d")))  # noqa: DTZ007, PLR2004 - a date of birth has no time zone
    except ValueError:
        return False


def _day(text: str) -> str:
    """Return the day of a time (HL7 v2.5.1 2.A.22); one that is known to the year or month only is left open."""
    return "" if len(text) in {4, 6} and text.isdecimal() else text[:8] if text[:8].isdecimal() else text


def _chosen(repetitions: list[list[str]], component: int, kinds: tuple[str, ...]) -> list[str]:
    """Return the repetition of the first kind that there is, or else the first."""
    found = (parts for kind in kinds for parts in repetitions if _component_of(parts, component) == kind and parts[0])
    return next(found, repetitions[0])


def _component_of(repetition: list[str], number: int) -> str:
    return repetition[number - 1] if number <= len(repetition) else ""


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


def adt(envelope: Envelope, event: str, patient: Patient, patient_class: str = "O", *, attending: str = "") -> str:
    """Return ADT^A04 (register, RAD-1), ADT^A08 (update, RAD-12) or another event that PID and PV1 tell.

    `attending` is who attends the patient, by the name at sign-on (PV1-7.1).
    """
    return join(
        envelope.header("ADT", event, STRUCTURES.get(event, "ADT_A01")),
        segment("EVN", {2: timestamp()}),
        pid(patient),
        segment("PV1", {1: "1", 2: patient_class, 7: attending or None}),
    )


STRUCTURES = {"A03": "ADT_A03"}
"""MSH-9.3 of events that do not share A01's (table 0354)."""


def merge(envelope: Envelope, surviving: Patient, prior: str) -> str:
    """Return ADT^A40 (RAD-12): the identifier `prior` of the same authority becomes `surviving`'s."""
    return join(
        envelope.header("ADT", "A40", "ADT_A39"),
        segment("EVN", {2: timestamp()}),
        pid(surviving),
        segment("MRG", {1: (prior, None, None, surviving.authority, "MR")}),
    )


ORDER_KINDS: dict[str, str] = {"ORM^O01": "ORM_O01", "OMG^O19": "OMG_O19", "OMI^O23": "OMI_O23"}
"""Messages that carry orders, with their structure (MSH-9.3): that of IHE's Scheduled Workflow, and those of SWF.b."""


def order_kind(permits: Sequence[str]) -> str | None:
    """Return the message that a peer wants orders in: the newest of those that a flow permits, if it permits any."""
    return next((kind for kind in reversed(ORDER_KINDS) if kind in permits), None)


def order_message(
    envelope: Envelope,
    control: str,
    patient: Patient,
    order: Order,
    status: Status | None = None,
    *,
    kind: str = "ORM^O01",
) -> str:
    """Return a message about an order (RAD-2, RAD-3, RAD-4, RAD-13).

    Args:
        envelope: who sends it to whom.
        control: ORC-1: NW new, XO changed, CA cancel, SC status changed.
        patient: whose order it is.
        order: what was ordered and assigned.
        status: of the order, where the message tells it.
        kind: of :data:`ORDER_KINDS`.
    """
    orc: dict[int, Value] = {
        1: control,
        2: order.placer,
        3: order.filler,
        9: timestamp(),
        10: _provider(order.entered_by),
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
        envelope.header(*kind.split("^"), ORDER_KINDS[kind]),
        pid(patient),
        segment("PV1", {1: "1", 2: "O"}),
        segment("ORC", orc),
        segment("TQ1", {1: "1", 7: order.scheduled, 9: (order.priority,)}),
        segment("OBR", obr),
    ]
    if kind == "OMI^O23":
        named: dict[int, Value] = {
            1: order.accession,
            2: order.procedure_id,
            3: order.study_uid,
            4: order.step_id,
            5: order.modality,
        }
        segments.append(segment("IPC", named))
    elif order.study_uid and kind == "ORM^O01":
        segments.append(segment("ZDS", {1: (order.study_uid, envelope.sender.application, "Application", "DICOM")}))
    return join(*segments)


def orders_in(message: Message) -> list[Message]:
    """Return a message for each order, with the patient in front of it: there may be several."""
    return message.groups("ORC", "OBR")


def order_of(message: Message) -> Order:
    """Read ORC, TQ1, OBR, and ZDS or IPC.

    Before version 2.5 timing and priority stand in ORC-7 and OBR-27, or in OBR-5 and OBR-36.

    Raises:
        HL7ProblemError: the placer order number or the code is empty, the two numbers contradict each other, or an
            identifier could not be said in DICOM.
    """
    placer = message.get("ORC", 2) or needed(message, "OBR", 2)
    if message.get("OBR", 2) not in {"", placer}:
        raise HL7ProblemError(reasons.CONTENT, 103, "OBR-2 is not ORC-2", location=("OBR", "1", "2"))
    order = Order(
        placer=placer,
        code=_code(message, "OBR", 4),
        modality=message.get("OBR", 24) or message.get("IPC", 5),
        priority=_first(message, ("TQ1", 9, 1), ("ORC", 7, 6), ("OBR", 27, 6), ("OBR", 5, 1)) or "R",
        reason=_first(message, ("OBR", 31, 2), ("OBR", 31, 1), ("OBR", 13, 1)),
        provider=_first(message, ("ORC", 12, 2), ("OBR", 16, 2)),
        scheduled=_first(message, ("TQ1", 7, 1), ("ORC", 7, 4), ("OBR", 27, 4), ("OBR", 36, 1)),
        filler=_first(message, ("ORC", 3, 1), ("OBR", 3, 1)),
        accession=_first(message, ("OBR", 18, 1), ("IPC", 1, 1)),
        procedure_id=_first(message, ("OBR", 19, 1), ("IPC", 2, 1)),
        step_id=_first(message, ("OBR", 20, 1), ("IPC", 4, 1)),
        study_uid=_first(message, ("ZDS", 1, 1), ("IPC", 3, 1)),
    )
    for field, value in {
        ("ORC", "2"): order.placer,
        ("ORC", "3"): order.filler,
        ("OBR", "18"): order.accession,
    }.items():
        if not is_identifier(value):
            name, number = field
            raise HL7ProblemError(
                reasons.CONTENT, 102, f"{name}-{number} cannot be a DICOM value: too long, or a backslash in it",
                location=(name, "1", number),
            )  # fmt: skip
    return order


def _code(message: Message, name: str, field: int) -> Code:
    """Read a coded element; where only the alternate triplet is valued, that one."""
    for first in (1, 4):
        value, meaning, scheme = (message.get(name, field, first + number) for number in range(3))
        if value:
            return Code(value, meaning, scheme)
    return Code(needed(message, name, field), "", "")


def _first(message: Message, *places: tuple[str, int, int]) -> str:
    """Return the first value that is not empty, of segment, field and component."""
    return next((value for place in places if (value := message.get(*place))), "")


def status_of(message: Message) -> Status:
    """Read ORC-5, OBR-25 and ORC-16."""
    reason = Code(message.get("ORC", 16), message.get("ORC", 16, 2), message.get("ORC", 16, 3))
    return Status(needed(message, "ORC", 5), message.get("OBR", 25), reason if reason.value else None)


def report_message(envelope: Envelope, patient: Patient, report: Report) -> str:
    """Return ORU^R01 (RAD-128, RAD-28): an OBX for each UID of the document, and for each line of the text."""
    when = timestamp()
    named = {name: uid for name, uid in _references(report).items() if uid} if report.instance_uid else {}
    observed = [
        *(("HD", ("", name), "", uid) for name, uid in named.items()),
        *(("TX", SR_TEXT, str(number), line) for number, line in enumerate(report.text.splitlines() or [""], start=1)),
    ]
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
            segment("OBX", {1: str(number), 2: kind, 3: name, 4: sub, 5: value, 11: report.status, 14: when})
            for number, (kind, name, sub, value) in enumerate(observed, start=1)
        ),
        *(
            [segment("ZDS", {1: (report.study_uid, envelope.sender.application, "Application", "DICOM")})]
            if report.study_uid
            else []
        ),
    )


SR_INSTANCE, SR_STUDY, SR_SERIES = "SR Instance UID", "Study Instance UID", "Series Instance UID"
"""What OBX-3 calls the UIDs of the document, in OBX of type HD (IHE RAD TF-2 4.28)."""
SR_TEXT: Value = ("18748-4", "Diagnostic imaging report", "LN", "", "SR Text")
"""OBX-3 of the text, in LOINC's words and, as the alternate text, in those of the same section."""


def _references(report: Report) -> dict[str, str]:
    return {SR_INSTANCE: report.instance_uid, SR_STUDY: report.study_uid, SR_SERIES: report.series_uid}


def _referenced(message: Message) -> dict[str, str]:
    """Read the UIDs of the document; OBX-3 has their names as text, or, where senders do without, as identifier.

    Raises:
        HL7ProblemError: one is no UID.
    """
    found: dict[str, str] = {}
    for number in range(1, message.count("OBX") + 1):
        name = message.get("OBX", 3, 2, occurrence=number) or message.get("OBX", 3, occurrence=number)
        uid = message.get("OBX", 5, occurrence=number)
        if message.get("OBX", 2, occurrence=number) != "HD" or name not in {SR_INSTANCE, SR_STUDY, SR_SERIES}:
            continue
        if not is_uid(uid):
            raise HL7ProblemError(reasons.CONTENT, 102, f"{name} is no UID", location=("OBX", str(number), "5"))
        found.setdefault(name, uid)  # the document's own come first; a report may refer to images likewise
    return found


def report_of(message: Message) -> Report:
    """Read the report of an ORU^R01.

    Raises:
        HL7ProblemError: OBR-18 (accession number) or OBR-4 is empty, OBR-25 is not P, F or C, or a UID is none.
    """
    status = needed(message, "OBR", 25)
    if status not in REPORT_STATUSES:
        raise HL7ProblemError(reasons.CONTENT, 103, "OBR-25 is not P, F or C", location=("OBR", "1", "25"))
    references = _referenced(message)
    return Report(
        accession=needed(message, "OBR", 18),
        study_uid=message.get("ZDS", 1) or references.get(SR_STUDY, ""),
        code=_code(message, "OBR", 4),
        author=message.get("OBR", 32, 1, sub=2) or message.get("OBR", 32, 2),
        status=status,
        text="\n".join(
            message.text_of("OBX", 5, occurrence=number)
            for number in range(1, message.count("OBX") + 1)
            if message.get("OBX", 2, occurrence=number) in {"TX", "FT", "ST"}
        ),
        placer=message.get("ORC", 2),
        filler=message.get("ORC", 3),
        series_uid=references.get(SR_SERIES, ""),
        instance_uid=references.get(SR_INSTANCE, ""),
    )


def _provider(name: str) -> Value:
    return (None, name) if name else None
