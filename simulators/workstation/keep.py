"""Storing an object and making sure that the archive can find it again (RAD-19, RAD-24, RAD-29, RAD-43)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.errors import RefusedError
from simulators.events.actions import STORE
from simulators.events.report import performing
from simulators.imaging.transfer import ABORTED, NO_ANSWER, negotiated, parcel_of, store
from simulators.workstation.query import find

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from simulators.workstation.desk import Desk


ATTEMPTS = 3
"""How often an object is sent whose answer is lost: the archive has it once, however often it is sent."""


def keep(desk: Desk, document: Dataset, transaction: str) -> dict[str, str]:
    """Store an object, look it up, and return what identifies it; the log has it as that transaction.

    Raises:
        RefusedError: the archive did not take it, or does not know it afterwards.
        SimulatorError: the archive is away.
    """
    facts = {
        "accession": document.get("AccessionNumber"),
        "study": document.StudyInstanceUID,
        "instance": document.SOPInstanceUID,
        "sop_class": document.SOPClassUID,
    }
    with performing(STORE, transaction=transaction, **desk.actor, **facts):
        for _ in range(ATTEMPTS):
            error = _store(desk, document)
            if error not in {NO_ANSWER, ABORTED}:
                break
        if error:
            raise RefusedError(f"{desk.archive.name} did not take the object: {error}", remedy="Look at its log.")
    identity = {
        "StudyInstanceUID": str(document.StudyInstanceUID),
        "SeriesInstanceUID": str(document.SeriesInstanceUID),
        "SOPInstanceUID": str(document.SOPInstanceUID),
    }
    if len(find(desk, "IMAGE", identity)) != 1:
        raise RefusedError(
            f"{desk.archive.name} took {document.SOPInstanceUID} and does not find it.",
            remedy="Look at its log and disk.",
        )
    return {**identity, "SOPClassUID": str(document.SOPClassUID), "archive": desk.archive.name}


def _store(desk: Desk, document: Dataset) -> str:
    """Send an object and return what was wrong; see :func:`simulators.imaging.transfer.store`."""
    with tempfile.TemporaryDirectory(prefix="pacslab-keep-") as scratch:
        path = Path(scratch) / "object.dcm"
        document.save_as(path, enforce_file_format=True)
        parcel = parcel_of(path)
        with desk.open(negotiated([parcel])) as association:
            return store(association, parcel)
