"""A reader: studies are found and retrieved one after the other, looked at, and discarded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.command_line import Result
from simulators.deadline import Deadline
from simulators.errors import NotFoundError, SimulatorError
from simulators.imaging.digest import pixel_digests
from simulators.workstation import retrieve, web
from simulators.workstation.desk import desk_of
from simulators.workstation.folder import Folder
from simulators.workstation.study import study_uid_of
from simulators.workstation.verbs import APART, HOME

if TYPE_CHECKING:
    from argparse import Namespace

    from simulators.settings import Settings


def read(arguments: Namespace, settings: Settings) -> Result:
    """Read studies; return the digests of the images of each, and of what could not be read why."""
    deadline = Deadline(arguments.seconds)
    seen: dict[str, dict[str, str]] = {}
    errors: dict[str, str] = {}
    for accession in arguments.accessions:
        if deadline.over:
            break
        try:
            with tempfile.TemporaryDirectory(prefix=APART, dir=HOME) as place:
                seen[accession] = _read(settings, accession, Folder(Path(place)), by_web=arguments.web)
        except SimulatorError as error:
            errors[accession] = error.message
    return Result({"read": seen, "errors": errors}, f"{len(seen)} studies")


def _read(settings: Settings, accession: str, folder: Folder, *, by_web: bool) -> dict[str, str]:
    if by_web:
        matches = web.search(
            desk_of(settings, None, "QIDO-RS", "dicomweb-tls"), "STUDY", {"AccessionNumber": accession}
        )
        if not matches:
            raise NotFoundError(f"no study {accession}", remedy="Look with `pacslab-workstation query --web`.")
        desk = desk_of(settings, None, "WADO-RS", "dicomweb-tls")
        web.retrieve(desk, folder, study=matches[0]["StudyInstanceUID"])
    else:
        study = study_uid_of(desk_of(settings, None, "C-FIND"), accession=accession, study="")
        retrieve.retrieve(desk_of(settings, None, "C-GET"), folder, study=study)
    return pixel_digests(folder.paths)
