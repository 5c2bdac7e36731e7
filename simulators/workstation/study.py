"""Opening a study: which one it is, which image of it is looked at."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydicom import dcmread

from simulators.errors import ArgumentError, NotFoundError
from simulators.workstation.folder import Folder
from simulators.workstation.query import find
from simulators.workstation.retrieve import retrieve

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from simulators.workstation.desk import Desk

MEASURABLE = ("CT", "MR")


@dataclass(frozen=True)
class OpenStudy:
    """A study with the image that is looked at, and what else is in its series."""

    study_uid: str
    image: Dataset
    instances: tuple[Dataset, ...]
    """The image first, then the others of its series, as far as C-FIND tells of them."""


def study_uid_of(desk: Desk, *, accession: str, study: str) -> str:
    """The one study that an accession number or a Study Instance UID means.

    Raises:
        ArgumentError: neither is given, or there are several studies.
        NotFoundError: there is none.
    """
    if not accession and not study:
        raise ArgumentError("No study is named.", remedy="Give an accession number, or --study UID.")
    found = find(desk, "STUDY", {"StudyInstanceUID": study} if study else {"AccessionNumber": accession})
    if not found:
        raise NotFoundError(
            f"{desk.archive.name} has no study {study or accession}.", remedy="Look with `pacslab-workstation query`."
        )
    if len(found) > 1:
        uids = ", ".join(str(entry.StudyInstanceUID) for entry in found)
        raise ArgumentError(f"{accession} has several studies: {uids}.", remedy="Choose one with --study.")
    return str(found[0].StudyInstanceUID)


def open_study(desk: Desk, *, accession: str, study: str, instance: str = "") -> OpenStudy:
    """Find a study and retrieve one image: the one named, or the middle one of the first CT or MR series.

    A study without such series opens with its first series.

    Raises:
        NotFoundError: there is no such study or image.
        SimulatorError: the archive is away or refuses.
    """
    study_uid = study_uid_of(desk, accession=accession, study=study)
    series = sorted(
        find(desk, "SERIES", {"StudyInstanceUID": study_uid}),
        key=lambda one: (one.Modality not in MEASURABLE, int(one.get("SeriesNumber") or 0)),
    )
    for series_entry in series:
        keys = {"StudyInstanceUID": study_uid, "SeriesInstanceUID": str(series_entry.SeriesInstanceUID)}
        images = sorted(find(desk, "IMAGE", keys), key=lambda found: int(found.get("InstanceNumber") or 0))
        chosen = [image for image in images if image.SOPInstanceUID == instance] if instance else images
        if chosen:
            middle = chosen[len(chosen) // 2]
            others = (image for image in images if image.SOPInstanceUID != middle.SOPInstanceUID)
            return OpenStudy(study_uid, _fetch(desk, middle), (middle, *others))
    raise NotFoundError(
        f"Study {study_uid} has no image {instance}.".replace(" .", "."),
        remedy="Look with `pacslab-workstation query`.",
    )


def _fetch(desk: Desk, reference: Dataset) -> Dataset:
    with tempfile.TemporaryDirectory(prefix="pacslab-study-") as scratch:
        folder = Folder(Path(scratch))
        retrieve(
            desk,
            folder,
            study=str(reference.StudyInstanceUID),
            series=str(reference.SeriesInstanceUID),
            instance=str(reference.SOPInstanceUID),
        )
        image = dcmread(folder.paths[0])
        image.decode()  # everything is read before the file goes
    return image
