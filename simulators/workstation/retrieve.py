"""RAD-16 Retrieve Images: C-GET of the Study Root Information Model (PS3.4 C.4.3) into a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import build_role, evt

from simulators.association import contexts
from simulators.errors import NoAnswerError, NotFoundError, RefusedError, UnsafeObjectError
from simulators.events.actions import RETRIEVE
from simulators.events.report import performing

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

    from simulators.workstation.desk import Desk
    from simulators.workstation.folder import Folder

STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
_CLASS, _SYNTAX = "1.2.840.10008.5.1.4.1.1.", "1.2.840.10008.1.2.4."
_COLOUR = {
    "3.1": "Ultrasound Multi-frame",
    "6.1": "Ultrasound",
    "7": "Secondary Capture",
    "7.4": "Multi-frame True Color Secondary Capture",
    "12.1": "X-Ray Angiographic",
    "12.2": "X-Ray Radiofluoroscopic",
    "77.1.1": "VL Endoscopic",
    "77.1.2": "VL Microscopic",
    "77.1.4": "VL Photographic",
    "77.1.5.1": "Ophthalmic Photography 8 Bit",
}
"""Images that come as JPEG Baseline, too."""
_GREY = {
    "1": "Computed Radiography",
    "1.1": "Digital X-Ray, for presentation",
    "1.1.1": "Digital X-Ray, for processing",
    "1.2": "Digital Mammography X-Ray, for presentation",
    "1.2.1": "Digital Mammography X-Ray, for processing",
    "1.3": "Digital Intra-Oral X-Ray, for presentation",
    "2": "CT",
    "2.1": "Enhanced CT",
    "4": "MR",
    "4.1": "Enhanced MR",
    "7.2": "Multi-frame Grayscale Byte Secondary Capture",
    "7.3": "Multi-frame Grayscale Word Secondary Capture",
    "12.1.1": "Enhanced XA",
    "12.2.1": "Enhanced XRF",
    "13.1.1": "X-Ray 3D Angiographic",
    "13.1.3": "Breast Tomosynthesis",
    "20": "Nuclear Medicine",
    "128": "Positron Emission Tomography",
    "130": "Enhanced PET",
}
"""Images that, as those in colour, come as JPEG Lossless and JPEG 2000 Lossless, too."""
_OTHERS = {
    "2.2": "Legacy Converted Enhanced CT",
    "4.3": "Enhanced MR Color",
    "4.4": "Legacy Converted Enhanced MR",
    "6.2": "Enhanced US Volume",
    "7.1": "Multi-frame Single Bit Secondary Capture",
    "11.1": "Grayscale Softcopy Presentation State",
    "11.2": "Color Softcopy Presentation State",
    "11.4": "Blending Softcopy Presentation State",
    "30": "Parametric Map",
    "66.1": "Spatial Registration",
    "66.3": "Deformable Spatial Registration",
    "66.4": "Segmentation",
    "66.5": "Surface Segmentation",
    "66.7": "Label Map Segmentation",
    "77.1.5.4": "Ophthalmic Tomography",
    "88.11": "Basic Text SR",
    "88.22": "Enhanced SR",
    "88.33": "Comprehensive SR",
    "88.34": "Comprehensive 3D SR",
    "88.50": "Mammography CAD SR",
    "88.59": "Key Object Selection",
    "88.67": "X-Ray Radiation Dose SR",
    "104.1": "Encapsulated PDF",
    "128.1": "Legacy Converted Enhanced PET",
    "481.1": "RT Image",
    "481.2": "RT Dose",
    "481.3": "RT Structure Set",
    "481.4": "RT Beams Treatment Record",
    "481.5": "RT Plan",
    "481.8": "RT Ion Plan",
}
SOP_CLASSES = tuple(_CLASS + suffix for suffix in (*_COLOUR, *_GREY, *_OTHERS))
"""What a workstation takes (suffixes of PS3.4 Table B.5-1): one association has 128 presentation contexts, and WADO-RS
takes what has none here."""
_ENCODED = (
    (_SYNTAX + "50", tuple(_COLOUR)),
    (_SYNTAX + "70", (*_COLOUR, *_GREY)),
    (_SYNTAX + "90", (*_COLOUR, *_GREY)),
)
"""Compressed forms (PS3.5 A.4), each with the classes that have a context of its own: archives do not decode."""

_SUCCESS, _PENDING = 0x0000, (0xFF00,)
_CANNOT_UNDERSTAND = 0xC000


def retrieve(desk: Desk, folder: Folder, *, study: str, series: str = "", instance: str = "") -> None:
    """Bring a study, a series or an instance into the folder.

    Raises:
        NotFoundError: the archive sent nothing.
        RefusedError: it refused, could not send everything, or sent something that was not accepted.
    """
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "IMAGE" if instance else "SERIES" if series else "STUDY"
    identifier.StudyInstanceUID = study
    if series:
        identifier.SeriesInstanceUID = series
    if instance:
        identifier.SOPInstanceUID = instance
    before = len(folder.paths)
    facts = {"study": study, "series": series, "instance": instance}
    with performing(RETRIEVE, transaction="RAD-16", **desk.actor, **facts) as known:
        _get(desk, folder, identifier, known)
        known["instances"] = len(folder.paths) - before
        if len(folder.paths) == before:
            raise NotFoundError(
                f"{desk.archive.name} has nothing of {instance or series or study}.",
                remedy="Look with `pacslab-workstation query`.",
            )


def _get(desk: Desk, folder: Folder, identifier: Dataset, known: dict[str, object]) -> None:
    """Ask for what the identifier names and write what comes."""
    refused: list[str] = []

    def on_store(event: Any) -> int:
        try:
            _write(event, folder)
        except RefusedError as error:
            refused.append(error.message)
            return _CANNOT_UNDERSTAND
        return _SUCCESS

    roles = [build_role(uid, scu_role=False, scp_role=True) for uid in SOP_CLASSES]
    with desk.open(_contexts(), handlers=[(evt.EVT_C_STORE, on_store)], roles=roles) as association:
        last: int | None = None
        for status, _ in association.send_c_get(identifier, STUDY_ROOT_GET):
            last = status.get("Status")
    if refused:
        known["rejected"] = len(refused)
        raise UnsafeObjectError(
            f"{desk.archive.name} sent objects that were not accepted: {refused[0]}", remedy="Look at them there."
        )
    if last is None:
        raise NoAnswerError(
            f"{desk.archive.name} did not send everything: no answer", remedy="Ask again; look at its health and log."
        )
    if last not in {_SUCCESS, *_PENDING}:
        raise RefusedError(
            f"{desk.archive.name} did not send everything: status 0x{last:04X}", remedy="Look at its log."
        )


def _write(event: Any, folder: Folder) -> None:
    """Write an object as it was sent, with file meta information and an empty preamble in front."""
    dataset = event.dataset
    try:
        uids = dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
    except AttributeError as error:
        raise RefusedError(f"An object without UIDs: {error}", remedy="Look at the archive's log.") from error
    if uids[2] != event.request.AffectedSOPInstanceUID:
        raise RefusedError("An object is not the one that was announced.", remedy="Do not trust this archive.")
    content = event.encoded_dataset()
    folder.add(*uids, lambda path: path.write_bytes(content))


def _contexts() -> list[PresentationContext]:
    """C-GET itself, and the storage classes; compressed images have contexts of their own, to come as they are."""
    encoded = [
        context
        for syntax, suffixes in _ENCODED
        for context in contexts([_CLASS + suffix for suffix in suffixes], [syntax])
    ]
    return [*contexts([STUDY_ROOT_GET]), *encoded, *contexts(SOP_CLASSES)]
