"""The folder that retrieved objects are put into; names come from the network and are checked first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from simulators.errors import ArgumentError, UnsafeObjectError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_UID = re.compile(r"[0-9.]{1,64}")
_HAS_DIGIT = re.compile(r"[0-9]")


def checked_uid(value: object) -> str:
    """Return a UID that is safe as a file name: digits and dots, 64 at most (PS3.5 9.1).

    Raises:
        UnsafeObjectError: it is not; such as one that would lead out of the folder.
    """
    text = str(value)
    if not _UID.fullmatch(text) or not _HAS_DIGIT.search(text):
        raise UnsafeObjectError(
            f"The archive sent {text[:80]!r} as a UID.", remedy="Do not trust this archive; look at its objects."
        )
    return text


class Folder:
    """Writes objects as ``<study>/<series>/<instance>.dcm`` below a folder."""

    def __init__(self, root: Path) -> None:
        """Use a folder, making it where it is missing.

        Raises:
            ArgumentError: it cannot be made.
        """
        self.root = root
        self.paths: list[Path] = []
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArgumentError(
                f"{root} cannot be made: {error.strerror}",
                remedy="Name one that the user workstation may write: below /var/lib/pacslab/workstation.",
            ) from error

    def add(self, study: object, series: object, instance: object, write: Callable[[Path], object]) -> Path:
        """Let ``write`` write an object at its place, under another name until it is whole.

        Raises:
            UnsafeObjectError: a UID is not one.
        """
        place = self.root / checked_uid(study) / checked_uid(series)
        path = place / f"{checked_uid(instance)}.dcm"
        place.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part")
        write(partial)
        partial.replace(path)
        self.paths.append(path)
        return path

    def add_bytes(self, content: bytes) -> Path:
        """Add an object in DICOM file format (PS3.10), as WADO-RS sends it.

        Raises:
            UnsafeObjectError: it is not one, or a UID is not one.
        """
        partial = self.root / "incoming.part"
        partial.write_bytes(content)
        try:
            head = dcmread(partial, stop_before_pixels=True)
            path = self.add(
                head.StudyInstanceUID,
                head.SeriesInstanceUID,
                head.SOPInstanceUID,
                partial.replace,
            )
        except (InvalidDicomError, AttributeError) as error:
            raise UnsafeObjectError(
                "The archive sent what is no DICOM object.", remedy="Look at the archive's log."
            ) from error
        finally:
            partial.unlink(missing_ok=True)
        return path
