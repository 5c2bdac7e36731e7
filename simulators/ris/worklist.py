"""Modality worklist entries, and how a query matches them (PS3.4 K.6.1, C.2.2.2; IHE RAD-5)."""

from __future__ import annotations

import fnmatch
import json
import re
from typing import TYPE_CHECKING, Any

from pydicom.charset import python_encoding
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from simulators.dicom_text import LONGEST_SH, lo, pn

if TYPE_CHECKING:
    from datetime import datetime

    from pydicom.dataelem import DataElement

    from simulators.hl7content import Code, Order, Patient

UTF_8 = "ISO_IR 192"
WILDCARD_VRS = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
PRIORITIES = {"S": "STAT", "A": "HIGH", "R": "ROUTINE"}
"""TQ1-9 to RequestedProcedurePriority (0040,1003)."""


def entry(patient: Patient, order: Order, station: str, station_ae: str, scheduled: datetime) -> Dataset:
    """Return the worklist item of one scheduled step, with every attribute that table K.6-1 has a source for here."""
    item = Dataset()
    item.SpecificCharacterSet = UTF_8
    item.AccessionNumber = order.accession
    item.ReferringPhysicianName = pn(order.provider)
    item.ReferencedStudySequence = Sequence([])
    item.ReferencedPatientSequence = Sequence([])
    item.PatientName = patient.dicom_name
    item.PatientID = patient.identifier
    item.IssuerOfPatientID = patient.authority
    item.PatientBirthDate = patient.birth_date
    item.PatientSex = patient.dicom_sex
    item.PatientWeight = None
    item.MedicalAlerts = ""
    item.Allergies = ""
    item.PregnancyStatus = None
    item.StudyInstanceUID = order.study_uid
    item.RequestingPhysician = pn(order.provider)
    item.RequestedProcedureDescription = lo(order.code.meaning)
    item.RequestedProcedureCodeSequence = Sequence([_code(order.code)])
    item.AdmissionID = ""
    item.SpecialNeeds = ""
    item.CurrentPatientLocation = ""
    item.PatientState = ""
    item.ScheduledProcedureStepSequence = Sequence([_step(order, station, station_ae, scheduled)])
    item.RequestedProcedureID = order.procedure_id
    item.ReasonForTheRequestedProcedure = lo(order.reason)
    item.RequestedProcedurePriority = PRIORITIES.get(order.priority, "ROUTINE")
    item.PatientTransportArrangements = ""
    item.PlacerOrderNumberImagingServiceRequest = order.placer
    item.FillerOrderNumberImagingServiceRequest = order.filler
    item.ConfidentialityConstraintOnPatientDataDescription = ""
    return item


def _step(order: Order, station: str, station_ae: str, scheduled: datetime) -> Dataset:
    local = scheduled.astimezone()
    step = Dataset()
    step.Modality = order.modality
    step.ScheduledStationAETitle = station_ae
    step.ScheduledProcedureStepStartDate = local.strftime("%Y%m%d")
    step.ScheduledProcedureStepStartTime = local.strftime("%H%M%S")
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = lo(order.code.meaning)
    step.ScheduledProtocolCodeSequence = Sequence([_code(order.code)])
    step.ScheduledProcedureStepID = order.step_id
    step.ScheduledStationName = lo(station, LONGEST_SH)
    step.ScheduledProcedureStepLocation = ""
    step.PreMedication = ""
    step.RequestedContrastAgent = ""
    step.ScheduledProcedureStepStatus = "SCHEDULED"
    return step


def _code(code: Code) -> Dataset:
    """Return a code; one that SH cannot hold is a Long Code Value (PS3.3 8.1)."""
    item = Dataset()
    if len(code.value) > LONGEST_SH:
        item.LongCodeValue = lo(code.value, len(code.value))
    else:
        item.CodeValue = lo(code.value, LONGEST_SH)
    item.CodingSchemeDesignator = lo(code.scheme, LONGEST_SH)
    item.CodeMeaning = lo(code.meaning)
    return item


def matches(keys: Dataset, item: Dataset) -> bool:
    """Tell whether an item has what every key asks for; an empty key asks for anything."""
    dated = _period(keys, item)
    for key in keys:
        if key.keyword == "SpecificCharacterSet" or (dated is not None and key.keyword in _PERIOD):
            continue
        if not _matches_element(key, item):
            return False
    return dated is not False


_PERIOD = ("ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime")


def _period(keys: Dataset, item: Dataset) -> bool | None:
    """Match date and time ranges together: from the first date's first time until the last's last (table K.6-1).

    None when the keys are not both ranges.
    """
    date, time = (str(keys.get(name) or "") for name in _PERIOD)
    if "-" not in date or "-" not in time:
        return None
    moment = "".join(_normal(str(item.get(name) or ""), vr) for name, vr in zip(_PERIOD, ("DA", "TM"), strict=True))
    first_date, last_date = (_normal(bound, "DA") for bound in date.split("-", 1))
    first_time, last_time = (_normal(bound, "TM") for bound in time.split("-", 1))
    after = not first_date or moment >= first_date + (first_time or "000000")
    before = not last_date or moment <= last_date + (last_time or "235959")
    return after and before


def _matches_element(key: DataElement, item: Dataset) -> bool:
    if key.VR == "SQ":
        wanted = key.value[0] if key.value else None
        if not wanted:
            return True
        held = item.get(key.tag)
        return held is not None and any(matches(wanted, member) for member in held.value)
    if key.is_empty or key.value in ("", None):
        return True
    held = item.get(key.tag)
    value = "" if held is None or held.value is None else str(held.value)
    return _matches_value(key, value)


def _matches_value(key: DataElement, value: str) -> bool:
    if key.VR == "UI":
        wanted = [str(member) for member in key.value] if key.VM > 1 else [str(key.value)]
        return value in wanted
    text = str(key.value)
    if key.VR in {"DA", "TM"}:
        return _in_range(text, value, key.VR)
    if key.VR == "PN":
        text, value = text.casefold(), value.casefold()
    if key.VR in WILDCARD_VRS and has_wildcard(text):
        # Only * and ? are wildcards in DICOM (C.2.2.2.4): a bracket stands for itself.
        return fnmatch.fnmatchcase(value.rstrip(), text.rstrip().replace("[", "[[]"))
    return text.strip() == value.strip()


def _in_range(text: str, value: str, vr: str) -> bool:
    held = _normal(value, vr)
    if not held:
        return False
    if "-" not in text:
        return held == _normal(text, vr)
    first, last = text.split("-", 1)
    return (not first or held >= _normal(first, vr)) and (not last or held <= _normal(last, vr, "9"))


def _normal(text: str, vr: str, fill: str = "0") -> str:
    digits = re.sub(r"\..*|[:.\s]", "", text)
    return digits.ljust(6, fill) if digits and vr == "TM" else digits


def answer(keys: Dataset, item: Dataset) -> Dataset:
    """Return the item with the attributes that were asked for; what is not held is empty (C.2.2.1.3).

    It is in the character set that the query is in, where that has all its characters, and in UTF-8 otherwise.
    """
    out = _asked(keys, item)
    out.SpecificCharacterSet = _character_set(keys, out) or None
    return out


def _character_set(keys: Dataset, out: Dataset) -> str:
    """Return a Specific Character Set (PS3.3 C.12.1.1.2) for what is told; empty is the default repertoire, ASCII."""
    asked = keys.get("SpecificCharacterSet") or ""
    codec = (python_encoding.get(asked) if asked else "ascii") if isinstance(asked, str) else None
    if codec is None:
        return UTF_8
    try:
        json.dumps(out.to_json_dict(), ensure_ascii=False).encode(codec)
    except UnicodeError:
        return UTF_8
    return str(asked)


def _asked(keys: Dataset, item: Dataset) -> Dataset:
    out = Dataset()
    for key in keys:
        held = item.get(key.tag)
        if key.VR == "SQ":
            wanted = key.value[0] if key.value else None
            items = (
                []
                if held is None
                else [_asked(wanted, sequence_item) if wanted else sequence_item for sequence_item in held.value]
            )
            out.add_new(key.tag, "SQ", Sequence(items))
        else:
            out.add_new(key.tag, key.VR, None if held is None else held.value)
    return out


def has_wildcard(text: str) -> bool:
    """Tell whether a key asks for more than one value (C.2.2.2.4)."""
    return re.search(r"[*?]", text) is not None


def station_asked_for(keys: Dataset) -> str:
    """Return ScheduledStationAETitle of the query's step, empty when it does not name one."""
    steps: Any = keys.get("ScheduledProcedureStepSequence") or []
    return str(steps[0].get("ScheduledStationAETitle") or "").strip() if len(steps) else ""
