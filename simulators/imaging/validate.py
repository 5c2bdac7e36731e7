"""Judging DICOM files with dciodvfy, which shares no code with what makes them."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from simulators.errors import NotReadyError

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = "dciodvfy"


@dataclass(frozen=True)
class Verdict:
    """What dciodvfy said of one file."""

    path: Path
    errors: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether there is no error; warnings are advice."""
        return not self.errors


def judge(path: Path) -> Verdict:
    """Run dciodvfy over one file.

    Raises:
        NotReadyError: dciodvfy is not installed.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise NotReadyError(f"{PROGRAM} is not installed.", remedy="Install the package dicom3tools.")
    done = subprocess.run([program, "-new", str(path)], capture_output=True, check=False, timeout=60)
    lines = (done.stderr + done.stdout).decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if line.startswith("Error")]
    if done.returncode != 0 and not errors:
        errors = [f"Error - {PROGRAM} ended with code {done.returncode}"]
    return Verdict(path, tuple(errors), tuple(line for line in lines if line.startswith("Warning")))
