"""Images as DCMTK's dump2dcm makes them, of what a worklist said."""

from __future__ import annotations

import subprocess
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pydicom import Dataset

PIXELS = [[1, 2], [3, 4]]
DUMP = """\
(0008,0005) CS [ISO_IR 192]
(0008,0008) CS [ORIGINAL\\PRIMARY\\AXIAL]
(0008,0016) UI ={sop_class}
(0008,0018) UI [{uid}]
(0008,0020) DA [20261126]
(0008,0030) TM [072000]
(0008,0050) SH [{accession}]
(0008,0060) CS [{modality}]
(0008,0070) LO [OFFIS]
(0008,0090) PN
(0010,0010) PN [{name}]
(0010,0020) LO [{patient}]
(0010,0021) LO [{authority}]
(0010,0030) DA [{born}]
(0010,0040) CS [{sex}]
(0018,0060) DS [120]
(0020,000d) UI [{study}]
(0020,000e) UI [{series}]
(0020,0010) SH [{procedure}]
(0020,0011) IS [1]
(0020,0012) IS [1]
(0020,0013) IS [1]
(0020,0032) DS [0\\0\\0]
(0020,0037) DS [1\\0\\0\\0\\1\\0]
(0020,0052) UI [{series}.1]
(0028,0002) US 1
(0028,0004) CS [MONOCHROME2]
(0028,0010) US 2
(0028,0011) US 2
(0028,0030) DS [1\\1]
(0028,0100) US 16
(0028,0101) US 12
(0028,0102) US 11
(0028,0103) US 0
(0028,1052) DS [0]
(0028,1053) DS [1]
(7fe0,0010) OW 0001\\0002\\0003\\0004
"""


def image_of(step: Dataset, folder: Path, sop_class: str = "CTImageStorage") -> tuple[str, Path]:
    """Make an image of a worklist's step; return its UID and file."""
    uid, series = (f"2.25.{uuid.uuid4().int}" for _ in range(2))
    text = DUMP.format(
        sop_class=sop_class,
        uid=uid,
        series=series,
        accession=step.AccessionNumber,
        modality=step.ScheduledProcedureStepSequence[0].Modality,
        name=step.PatientName,
        patient=step.PatientID,
        authority=step.IssuerOfPatientID,
        born=step.PatientBirthDate,
        sex=step.PatientSex,
        study=step.StudyInstanceUID,
        procedure=step.RequestedProcedureID,
    )
    dump, image = folder / f"{uid}.dump", folder / f"{uid}.dcm"
    dump.write_text(text, "utf-8")
    subprocess.run(["dump2dcm", str(dump), str(image)], check=True, capture_output=True)
    return uid, image
