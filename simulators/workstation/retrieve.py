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
_IMAGES = "1.2.840.10008.5.1.4.1.1."
SOP_CLASSES = tuple(
    _IMAGES + suffix
    for suffix in (
        "2",  # CT
        "4",  # MR
        "6.1",  # Ultrasound
        "3.1",  # Ultrasound multi-frame
        "1.1",  # Digital X-ray for presentation
        "7",  # Secondary Capture
        "77.1.4",  # Visible Light Photographic
        "104.1",  # Encapsulated PDF
        "11.1",  # Grayscale Softcopy Presentation State
        "11.2",  # Color Softcopy Presentation State
        "88.11",  # Basic Text SR
        "88.22",  # Enhanced SR
        "88.33",  # Comprehensive SR
        "88.34",  # Comprehensive 3D SR
        "88.59",  # Key Object Selection
    )
)
"""What a workstation displays (suffixes of PS3.4 Table B.5-1)."""
_COMPRESSED = "1.2.840.10008.1.2.4.50"
_COMPRESSED_CLASSES = frozenset(_IMAGES + suffix for suffix in ("6.1", "3.1", "7", "77.1.4"))

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
    compressed = [sop_class for sop_class in SOP_CLASSES if sop_class in _COMPRESSED_CLASSES]
    return [*contexts([STUDY_ROOT_GET]), *contexts(compressed, [_COMPRESSED]), *contexts(SOP_CLASSES)]
