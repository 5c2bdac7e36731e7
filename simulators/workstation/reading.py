"""The verbs of ``pacslab-workstation`` that add an object to a study: annotate, note, measure, report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.uid import BasicTextSRStorage

from simulators.command_line import Result, table
from simulators.errors import ArgumentError, NoAnswerError, NotFoundError, SimulatorError
from simulators.imaging.derived import Author, key_objects, measurement_report, presentation_state
from simulators.imaging.report import ReportText, text_report
from simulators.imaging.roi import Circle, measure
from simulators.workstation import verbs
from simulators.workstation.desk import desk_of
from simulators.workstation.keep import keep
from simulators.workstation.keep import send as send_object
from simulators.workstation.pending import PendingObjects, PendingReports
from simulators.workstation.query import find
from simulators.workstation.study import open_study
from simulators.workstation.submit import send, written

if TYPE_CHECKING:
    import argparse

    from pydicom.dataset import Dataset

    from simulators.settings import Settings
    from simulators.workstation.desk import Desk
    from simulators.workstation.study import OpenStudy

_NUMBERS = {"PR": 901, "KO": 902, "SR": 903}
"""Series Numbers: above what modalities use."""


def annotate(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-19: a presentation state with a circle and a text on an image."""
    opened, author, desk = _open(arguments, settings)
    circle = _circle(arguments.roi, opened.image)
    state = presentation_state(opened.image, author, text=arguments.text, circle=circle, number=_NUMBERS["PR"])
    text = f"annotated image {opened.image.SOPInstanceUID}"
    return _kept(keep(desk, pending_objects(), state, "RAD-19"), opened, {"text": arguments.text}, text)


def select(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-29: a key object selection with the image."""
    opened, author, desk = _open(arguments, settings)
    note = key_objects([opened.image], author, description=arguments.text, number=_NUMBERS["KO"])
    text = f"key object {opened.image.SOPInstanceUID}"
    return _kept(keep(desk, pending_objects(), note, "RAD-29"), opened, {"text": arguments.text}, text)


def measure_region(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-43: a measurement report with the statistics of a circle."""
    opened, author, desk = _open(arguments, settings)
    circle = _circle(arguments.roi, opened.image)
    statistics = measure(opened.image, circle)
    document = measurement_report(
        opened.image, author, circle=circle, statistics=statistics, label=arguments.label, number=_NUMBERS["SR"]
    )
    facts = {
        "mean": round(statistics.mean, 3),
        "standard_deviation": round(statistics.deviation, 3),
        "minimum": statistics.minimum,
        "maximum": statistics.maximum,
        "area_mm2": round(statistics.area_mm2, 3),
        "pixels": statistics.pixels,
        "unit": statistics.unit,
    }
    text = f"mean {statistics.mean:.1f} {statistics.unit}, standard deviation {statistics.deviation:.1f}"
    kept = keep(desk, pending_objects(), document, "RAD-43")
    return _kept(kept, opened, {"measured": facts}, f"{text}, {statistics.area_mm2:.1f} mm2")


def report(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-24: Basic Text SR to the archive; then RAD-128: ORU^R01 to the RIS."""
    ris = settings.peer("hl7-tls", permit="ORU^R01")  # before anything is stored
    pending = pending_reports()
    opened, author, desk = _open(arguments, settings)
    status = "P" if arguments.preliminary else "C" if arguments.correction else "F"
    said = ReportText(arguments.findings, arguments.impression, verified=status != "P")
    evidence = [opened.image, *opened.instances[1:]]
    corrected = reports_on(desk, opened.study_uid) if arguments.correction else []
    document = text_report(evidence, author, said, number=_NUMBERS["SR"] + 1, corrected=corrected)
    text = f"Findings: {said.findings}\nImpression: {said.impression}"
    message = written(settings, ris, document, author=arguments.acting.name, text=text, status=status)
    pending.keep(message)  # before the document: whoever sends that one again sends this one afterwards
    try:
        kept = keep(desk, pending_objects(), document, "RAD-24")
    except NoAnswerError:
        raise
    except SimulatorError:
        pending.forget(message)
        raise
    answer = send(settings, ris, pending, message)
    data = {**_about(opened), "stored": kept, "found": True, "status": status, "submitted": answer}
    return Result(data, f"report {document.SOPInstanceUID} kept on {kept['archive']} and accepted by {answer['peer']}")


def reports_on(desk: Desk, study: str) -> list[Dataset]:
    """The reports (Basic Text SR) that the archive has on a study.

    Raises:
        NotFoundError: it has none.
    """
    series = find(desk, "SERIES", {"StudyInstanceUID": study, "Modality": "SR"})
    found = [
        match
        for one in series
        for match in find(desk, "IMAGE", {"StudyInstanceUID": study, "SeriesInstanceUID": str(one.SeriesInstanceUID)})
        if match.SOPClassUID == BasicTextSRStorage
    ]
    if not found:
        raise NotFoundError(
            f"{desk.archive.name} has no report on study {study}.", remedy="Report on it without --correction."
        )
    return found


def submit_pending(_: argparse.Namespace, settings: Settings) -> Result:
    """Send again what was not answered: objects to archives, and then reports to the RIS (RAD-128)."""
    objects, reports = pending_objects(), pending_reports()
    stored = [send_object(desk_of(settings, kept.archive, "C-STORE"), objects, kept) for kept in objects.all()]
    answers = [
        send(settings, settings.peer("hl7-tls", name=report.peer, permit="ORU^R01"), reports, report)
        for report in reports.all()
    ]
    text = "\n\n".join(
        (
            table(stored, ["archive", "SOPInstanceUID"]),
            table(answers, ["peer", "control_id", "acknowledgement"]),
        )
    )
    return Result({"stored": stored, "submitted": answers}, text)


def pending_objects() -> PendingObjects:
    """The objects of this workstation that an archive has not answered for."""
    return PendingObjects(verbs.HOME / "objects")


def pending_reports() -> PendingReports:
    """The reports of this workstation that were not answered."""
    return PendingReports(verbs.HOME / "reports")


def _open(arguments: argparse.Namespace, settings: Settings) -> tuple[OpenStudy, Author, Desk]:
    """Open a study to add something to it.

    Raises:
        ArgumentError: something that was added before has not been answered yet.
        DeniedError: the patient is not one of the person's.
    """
    desk = desk_of(settings, arguments.archive, "C-STORE")
    opened = open_study(
        desk, accession=arguments.accession or "", study=arguments.study or "", instance=arguments.instance or ""
    )
    unanswered = {kept.study for kept in pending_objects().all()} | {kept.study for kept in pending_reports().all()}
    if opened.study_uid in unanswered:
        raise ArgumentError(
            f"What was added to study {opened.study_uid} before has not been answered yet.",
            remedy="Send that first: `pacslab-workstation submit`.",
        )
    arguments.acting.require(str(opened.image.PatientID))
    acting = arguments.acting
    return opened, Author(acting.person_name, acting.department or desk.equipment.institution, desk.equipment), desk


def _circle(text: str | None, image: Dataset) -> Circle:
    """The region that was given, or one in the middle of the image."""
    if text is None:
        return Circle(image.Columns / 2, image.Rows / 2, min(image.Rows, image.Columns) / 16)
    try:
        column, row, radius = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ArgumentError(f"{text!r} is no region.", remedy="Give --roi COLUMN,ROW,RADIUS in pixels.") from error
    return Circle(column, row, radius)


def _kept(kept: dict[str, str], opened: OpenStudy, facts: dict[str, Any], text: str) -> Result:
    data = {**_about(opened), **facts, "stored": kept, "found": True}
    return Result(data, f"{text}: stored as {kept['SOPInstanceUID']} on {kept['archive']}, and found there")


def _about(opened: OpenStudy) -> dict[str, str]:
    return {
        "accession": str(opened.image.get("AccessionNumber") or ""),
        "patient_id": str(opened.image.PatientID),
        "study_uid": opened.study_uid,
        "image": str(opened.image.SOPInstanceUID),
    }
