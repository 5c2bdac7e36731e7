"""Objects and reports that were sent and not answered: kept until they are, so that none is sent as another one."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from pydicom import dcmread

from simulators import mllp
from simulators.deadline import Deadline
from simulators.errors import BusyError, NoAnswerError, RefusedError, UnreachableError
from simulators.hl7messages import MalformedError, read_answer
from simulators.tls import client_context

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom.dataset import Dataset

    from simulators.settings import Peer, Settings

CERTIFICATE = "hl7"
SECONDS = 30.0
"""How long something is sent again and again before it is left for later."""
PAUSE_SECONDS = 0.5
_INTERNAL = 207


@dataclass(frozen=True)
class PendingObject:
    """An object that an archive may have; ``transaction`` is what the log calls its C-STORE."""

    path: Path
    archive: str
    transaction: str

    @property
    def study(self) -> str:
        """Study Instance UID."""
        return str(dcmread(self.path, specific_tags=["StudyInstanceUID"]).StudyInstanceUID)


class PendingObjects:
    """A folder of objects by archive and transaction; one is there from before it is sent until it is answered."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which need not be there yet."""
        self._folder = folder

    def all(self) -> list[PendingObject]:
        """Return them, oldest first."""
        paths = sorted(self._folder.glob("*/*/*.dcm"), key=lambda path: path.stat().st_mtime_ns)
        return [PendingObject(path, path.parts[-3], path.parts[-2]) for path in paths]

    def keep(self, document: Dataset, archive: str, transaction: str) -> PendingObject:
        """Write an object down; it is on disk at the end."""
        folder = self._folder / archive / transaction
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{document.SOPInstanceUID}.dcm"
        with path.with_suffix(".part").open("wb") as file:
            document.save_as(file, enforce_file_format=True)
            file.flush()
            os.fsync(file.fileno())
        path.with_suffix(".part").rename(path)
        return PendingObject(path, archive, transaction)

    def forget(self, kept: PendingObject) -> None:
        """The archive has answered, or was not reached."""
        kept.path.unlink(missing_ok=True)


@dataclass(frozen=True)
class PendingReport:
    """A message for the RIS, under the control id that it keeps until it is answered."""

    control_id: str
    peer: str
    accession: str
    study: str
    message: str


class PendingReports:
    """A folder with a file for each; a report is there from before it is first sent until it is answered."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which need not be there yet."""
        self._folder = folder

    def all(self) -> list[PendingReport]:
        """Return them, oldest first."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [PendingReport(**json.loads(path.read_text("utf-8"))) for path in paths]

    def submit(self, settings: Settings, peer: Peer, report: PendingReport) -> dict[str, str]:
        """Send a report until it is answered, and return what the RIS said; it is kept while it is not.

        Raises:
            NoAnswerError: the RIS did not answer in :data:`SECONDS`; the report is kept.
            RefusedError: it did not accept the report, which is given up.
        """
        self.keep(report)
        deadline = Deadline(SECONDS)
        while True:
            try:
                answer = _exchange(settings, peer, report)
            except (UnreachableError, BusyError) as error:
                if deadline.over:
                    raise NoAnswerError(
                        f"{peer.name} has not answered report {report.control_id}: {error.message}",
                        remedy="It is kept: `pacslab-workstation submit` sends it again, as the same report.",
                    ) from error
                deadline.pause(PAUSE_SECONDS)
                continue
            except RefusedError:
                self.forget(report)
                raise
            self.forget(report)
            return answer

    def _path(self, report: PendingReport) -> Path:
        return self._folder / f"{report.control_id}.json"

    def keep(self, report: PendingReport) -> None:
        """Write a report down; it is on disk at the end."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path(report).with_suffix(".part")
        with draft.open("w", encoding="utf-8") as file:
            json.dump(asdict(report), file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._path(report))

    def forget(self, report: PendingReport) -> None:
        """The RIS has answered, or there is nothing to report."""
        self._path(report).unlink(missing_ok=True)


def _exchange(settings: Settings, peer: Peer, report: PendingReport) -> dict[str, str]:
    try:
        answer = read_answer(mllp.send(peer, client_context(settings, CERTIFICATE), report.message.encode()))
    except MalformedError as error:
        raise UnreachableError(f"{peer.name} sent no acknowledgement: {error}", remedy="Look at its log.") from error
    if not answer.accepted:
        raise (BusyError if answer.code == _INTERNAL and answer.acknowledgement == "AE" else RefusedError)(
            f"{peer.name} refused the report: {answer.acknowledgement} {answer.text}".rstrip(),
            remedy="Look at the RIS's orders and log for the reason.",
        )
    return {"peer": peer.name, "control_id": report.control_id, "acknowledgement": answer.acknowledgement}
