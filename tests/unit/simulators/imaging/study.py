"""A study context and a small volume for tests of imaging objects."""

from __future__ import annotations

import numpy as np

from simulators.imaging.context import Equipment, StudyContext, from_worklist
from simulators.imaging.derived import Author
from simulators.imaging.volume import Volume
from tests.unit.simulators.modality.peers import worklist_item

AUTHOR = Author("Reader^Rita", "Radiology", Equipment("WSRAD1", "Workstation simulator"))


def context() -> StudyContext:
    """What a modality says in its objects after reading its worklist."""
    return from_worklist(worklist_item(), Equipment("CT1", "CT simulator"), performed_step_uid="2.25.815")


def ramp(slices: int = 4, rows: int = 32, columns: int = 48) -> Volume:
    """A volume that is no phantom, whose voxels tell where they are: 100 HU a slice, 1 HU a column, 2 HU a row."""
    z, y, x = np.mgrid[0:slices, 0:rows, 0:columns]
    return Volume((100 * z + 2 * y + x).astype(np.int16), (1.5, 0.5, 0.75), synthetic=False)
