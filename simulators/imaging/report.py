"""Diagnostic reports as Basic Text SR (PS3.3 A.35.1) after PS3.16 TID 2000; highdicom has no class for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pydicom.dataset import Dataset
from pydicom.uid import BasicTextSRStorage

from simulators.imaging.context import code, from_instance, reference
from simulators.imaging.frame import Series, new_object, new_uid
from simulators.imaging.request import refer_to_request

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pydicom.dataset import FileDataset

    from simulators.imaging.derived import Author

TITLE = ("18748-4", "LN", "Diagnostic imaging report")


@dataclass(frozen=True)
class ReportText:
    """What a radiologist says of a study."""

    findings: str
    impression: str
    verified: bool


def text_report(
    evidence: Sequence[Dataset],
    author: Author,
    report: ReportText,
    *,
    number: int,
    corrected: Sequence[Dataset] = (),
) -> FileDataset:
    """Make the report of the study that the images of ``evidence`` belong to.

    A verified report names its verifying observer (PS3.3 C.17.2) and is complete; one that corrects others names them.
    Where nobody is known to have signed it, it is complete, verified by nobody, and the workstation is its observer.
    """
    context = from_instance(evidence[0], author.equipment)
    series = Series("SR", number, "REPORT", new_uid())
    dataset = new_object(context, series, BasicTextSRStorage, 1)
    # General Series attributes that SR Document Series (PS3.3 C.17.1) does not have.
    for name in ("Laterality", "RequestAttributesSequence"):
        if name in dataset:
            delattr(dataset, name)
    dataset.InstitutionName = author.organisation
    dataset.ReferencedPerformedProcedureStepSequence = []
    dataset.CompletionFlag = "COMPLETE" if report.verified else "PARTIAL"
    verified = report.verified and bool(author.name)
    dataset.VerificationFlag = "VERIFIED" if verified else "UNVERIFIED"
    if verified:
        dataset.VerifyingObserverSequence = [_verifier(author)]
    dataset.PerformedProcedureCodeSequence = []
    if corrected:
        dataset.PredecessorDocumentsSequence = [evidence_of(corrected)]
    dataset.CurrentRequestedProcedureEvidenceSequence = [evidence_of(evidence)]
    refer_to_request(dataset, evidence[0])
    dataset.ValueType = "CONTAINER"
    dataset.ConceptNameCodeSequence = [code(*TITLE)]
    dataset.ContinuityOfContent = "SEPARATE"
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2000"
    dataset.ContentTemplateSequence = [template]
    dataset.ContentSequence = [
        _language(),
        *_observer(author),
        _section(("121070", "DCM", "Findings"), ("121071", "DCM", "Finding"), report.findings),
        _section(("121072", "DCM", "Impressions"), ("121073", "DCM", "Impression"), report.impression),
    ]
    return dataset


def evidence_of(instances: Iterable[Dataset]) -> Dataset:
    """A Hierarchical SOP Instance Reference item (PS3.3 C.17.2.1) for instances of one study."""
    series: dict[str, list[Dataset]] = {}
    study_uid = ""
    for instance in instances:
        study_uid = instance.StudyInstanceUID
        series.setdefault(instance.SeriesInstanceUID, []).append(instance)
    item = Dataset()
    item.StudyInstanceUID = study_uid
    item.ReferencedSeriesSequence = []
    for uid, members in series.items():
        one = Dataset()
        one.SeriesInstanceUID = uid
        one.ReferencedSOPSequence = [reference(member) for member in members]
        item.ReferencedSeriesSequence.append(one)
    return item


def _verifier(author: Author) -> Dataset:
    verifier = Dataset()
    verifier.VerifyingObserverName = author.name
    verifier.VerifyingOrganization = author.organisation
    verifier.VerificationDateTime = datetime.now(tz=UTC).strftime("%Y%m%d%H%M%S+0000")
    verifier.VerifyingObserverIdentificationCodeSequence = []
    return verifier


def _observer(author: Author) -> list[Dataset]:
    """TID 1002: the person who reports, or the workstation where nobody is known."""
    if author.name:
        return [_item("HAS OBS CONTEXT", "PNAME", ("121008", "DCM", "Person Observer Name"), author.name)]
    kind = _item("HAS OBS CONTEXT", "CODE", ("121005", "DCM", "Observer Type"), None)
    kind.ConceptCodeSequence = [code("121007", "DCM", "Device")]
    uid = _item("HAS OBS CONTEXT", "UIDREF", ("121012", "DCM", "Device Observer UID"), None)
    uid.UID = author.equipment.uid
    name = _item("HAS OBS CONTEXT", "TEXT", ("121013", "DCM", "Device Observer Name"), author.equipment.ae_title)
    return [kind, uid, name]


def _language() -> Dataset:
    """TID 1204: the language of the content."""
    item = _item("HAS CONCEPT MOD", "CODE", ("121049", "DCM", "Language of Content Item and Descendants"), None)
    item.ConceptCodeSequence = [code("en-GB", "RFC5646", "English (United Kingdom)")]
    return item


def _section(name: tuple[str, str, str], entry: tuple[str, str, str], text: str) -> Dataset:
    section = _item("CONTAINS", "CONTAINER", name, None)
    section.ContinuityOfContent = "SEPARATE"
    section.ContentSequence = [_item("CONTAINS", "TEXT", entry, text)]
    return section


def _item(relationship: str, value_type: str, name: tuple[str, str, str], value: str | None) -> Dataset:
    item = Dataset()
    item.RelationshipType = relationship
    item.ValueType = value_type
    item.ConceptNameCodeSequence = [code(*name)]
    if value_type == "TEXT":
        item.TextValue = value
    elif value_type == "PNAME":
        item.PersonName = value
    return item
