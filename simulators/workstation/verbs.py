"""The verbs of ``pacslab-workstation`` that find, fetch and judge."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.command_line import Result, table
from simulators.errors import ArgumentError, SimulatorError
from simulators.imaging.digest import pixel_digests
from simulators.imaging.validate import judge
from simulators.workstation import query, retrieve, web
from simulators.workstation.desk import desk_of
from simulators.workstation.folder import Folder
from simulators.workstation.study import study_uid_of

if TYPE_CHECKING:
    import argparse

    from simulators.settings import Settings

HOME = Path("/var/lib/pacslab/workstation")
APART = "apart-"
"""How the names of folders begin that hold one retrieval only."""
KEYS = {
    "accession": "AccessionNumber",
    "patient": "PatientID",
    "name": "PatientName",
    "date": "StudyDate",
    "modality": "ModalitiesInStudy",
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
}
"""Arguments and the matching keys they fill."""


def find(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-14, or RAD-129 with --web."""
    level = arguments.level.upper()
    keys = {KEYS[name]: value for name in KEYS if (value := getattr(arguments, name))}
    if level != "STUDY" and "StudyInstanceUID" not in keys:
        raise ArgumentError("Below studies, --study is needed.", remedy="Give the Study Instance UID.")
    if level == "IMAGE" and "SeriesInstanceUID" not in keys:
        raise ArgumentError("For images, --series is needed.", remedy="Give the Series Instance UID.")
    if arguments.web:
        rows = web.search(desk_of(settings, arguments.archive, "QIDO-RS", "dicomweb-tls"), level, keys)
    else:
        rows = [query.facts(match) for match in query.find(desk_of(settings, arguments.archive, "C-FIND"), level, keys)]
    hidden = {"PatientBirthDate", "PatientSex", "StudyTime", "SOPClassUID"}
    return Result({"matches": rows}, table(rows, [name for name in query.RETURNED[level] if name not in hidden]))


def get(arguments: argparse.Namespace, settings: Settings) -> Result:
    """RAD-16, or RAD-107 with --web."""
    searching = desk_of(settings, arguments.archive, "C-FIND")
    study = study_uid_of(searching, accession=arguments.accession or "", study=arguments.study or "")
    if arguments.instance and not arguments.series:
        raise ArgumentError("For one instance, --series is needed.", remedy="Give the Series Instance UID.")
    folder = Folder(place(arguments))
    wanted = {"study": study, "series": arguments.series or "", "instance": arguments.instance or ""}
    try:
        if arguments.web:
            web.retrieve(desk_of(settings, arguments.archive, "WADO-RS", "dicomweb-tls"), folder, **wanted)
        else:
            retrieve.retrieve(desk_of(settings, arguments.archive, "C-GET"), folder, **wanted)
    except SimulatorError:
        if arguments.apart:  # nobody is told of the folder, and a part of a study is no study
            shutil.rmtree(folder.root)
        raise
    size = sum(path.stat().st_size for path in folder.paths)
    data = {
        "study_uid": study,
        "folder": str(folder.root / study),
        "instances": len(folder.paths),
        "bytes": size,
        "files": [str(path) for path in folder.paths],
    }
    return Result(data, f"{len(folder.paths)} objects, {size} bytes in {folder.root / study}")


def place(arguments: argparse.Namespace) -> Path:
    """The folder that a retrieval goes to."""
    if arguments.apart:
        return Path(tempfile.mkdtemp(prefix=APART, dir=HOME))
    return Path(arguments.to) if arguments.to else HOME


def digests(arguments: argparse.Namespace, _settings: Settings) -> Result:
    """Digests of the images of a folder, so that they can be compared with what was acquired."""
    found = pixel_digests(sorted(Path(arguments.folder).rglob("*.dcm")))
    return Result({"digests": found}, table([{"uid": uid, "sha256": found[uid]} for uid in found], ["uid", "sha256"]))


def discard(arguments: argparse.Namespace, _settings: Settings) -> Result:
    """Remove a folder that was made apart, and nothing else.

    Raises:
        ArgumentError: the folder is not in one that ``retrieve --apart`` has made.
    """
    wanted = Path(arguments.folder).resolve()
    apart = (folder for folder in HOME.glob(f"{APART}*") if not folder.is_symlink())
    made = next((folder for folder in apart if wanted.is_relative_to(folder.resolve())), None)
    if made is None:
        raise ArgumentError(
            f"{wanted} was not made by `retrieve --apart`.", remedy=f"Name a folder {HOME}/{APART}..., or one in it."
        )
    shutil.rmtree(made)
    return Result({"discarded": str(made)}, f"{made} is gone")


def verify(arguments: argparse.Namespace, _settings: Settings) -> Result:
    """Judge every file of a folder with dciodvfy."""
    root = Path(arguments.folder)
    paths = [root] if root.is_file() else sorted(root.rglob("*.dcm"))
    if not paths:
        raise ArgumentError(f"{root} holds no .dcm files.", remedy="Name a folder with DICOM files.")
    verdicts = [judge(path) for path in paths]
    bad = [verdict for verdict in verdicts if not verdict.valid]
    data = {
        "checked": len(verdicts),
        "valid": len(verdicts) - len(bad),
        "warnings": sum(len(verdict.warnings) for verdict in verdicts),
        "failed": [{"file": str(verdict.path), "errors": list(verdict.errors)} for verdict in bad],
    }
    lines = [f"{verdict.path}: {error}" for verdict in bad for error in verdict.errors]
    return Result(data, "\n".join([*lines, f"{len(bad)} of {len(verdicts)} objects have errors"]), 1 if bad else 0)
