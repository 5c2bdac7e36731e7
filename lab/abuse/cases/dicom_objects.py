"""Objects that a scanner may store, and that no archive may take."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse.archives import GATE_OFF, SETTINGS, UNIT, answers
from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse, fresh_instance
from lab.abuse.model import AbuseCase
from lab.abuse.parties import scanner_alone_at_archive
from lab.abuse.sights import answers_control, at_gate, in_archive, names_of, of_announced, stored
from lab.abuse.weakening import Edit, EditedFiles
from lab.hospital.archive import Archive

if TYPE_CHECKING:
    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene

PEAK = r"grep -h VmHWM /proc/$(systemctl show --property=MainPID --value orthanc)/status | tr -dc 0-9"
"""The most memory that the archive has ever held, in kilobytes (proc(5))."""
UNFOLDED = 250_000
"""Kilobytes that the bomb has at least when it is unfolded."""


def _of_study(scene: Scene) -> list[str]:
    """Arguments that name an object of ours, and a study which the archive expects."""
    return [*fresh_instance(scene), *of_announced(scene)]


def _believed(scene: Scene, tried: Tried) -> str:
    """Harm: the sender was told that an object is stored which is not."""
    if tried.refused:
        return ""
    kept = Archive(scene.hospital, scene.parties.target).pixels(str(tried.facts["study"]))
    other = kept.get(str(tried.facts["instance"])) not in {None, tried.facts["pixels"]}
    return f"{scene.parties.target} answers success and keeps other pixels under the same UID" if other else ""


def _unfolded(scene: Scene, _: Tried) -> str:
    """Harm: the archive's memory has grown by what the bomb unfolds to."""
    done = scene.hospital.run(scene.parties.target, ["sh", "-c", PEAK])
    peak = int(done.stdout.strip() or 0)
    return f"the archive on {scene.parties.target} has held {peak // 1024} MB" if peak > UNFOLDED else ""


_OBJECT = partial(AbuseCase, parties=scanner_alone_at_archive, unharmed=answers_control, weakenings=(GATE_OFF,))

CASES = (
    _OBJECT(
        "abuse.dicom-foreign-patient",
        "DICOM: an object of another patient in a patient's study",
        attempt=Misuse("dicom-foreign-patient", words=_of_study),
        evidence=at_gate("study-conflict"),
        harm=stored,
        control="the archive's gate: a study is one patient's",
    ),
    _OBJECT(
        "abuse.dicom-changed-object",
        "DICOM: other pixels under the UIDs of a stored object",
        attempt=Misuse("dicom-changed-object", words=_of_study),
        evidence=at_gate("instance-conflict"),
        harm=_believed,
        control="the archive's gate: a SOP Instance UID is one object's",
    ),
    _OBJECT(
        "abuse.dicom-hostile-names",
        "DICOM: a path as Study Instance UID, an escape sequence as patient identifier",
        attempt=Misuse("dicom-hostile-names", words=fresh_instance),
        evidence=at_gate("invalid-identifier"),
        harm=stored,
        control="the archive's gate: UIDs are UIDs, and texts can be shown",
    ),
    _OBJECT(
        "abuse.dicom-unscheduled",
        "DICOM: an object of a study that nobody has announced",
        attempt=Misuse("dicom-unscheduled", words=fresh_instance),
        evidence=at_gate("unscheduled", action="hold-object"),
        harm=in_archive,
        control="the image manager compares each object with the schedule, and holds what does not fit",
    ),
    AbuseCase(
        "abuse.dicom-deflated",
        "DICOM: a deflated object that unfolds to a thousand times its length",
        parties=scanner_alone_at_archive,
        attempt=Misuse("dicom-deflated", words=fresh_instance),
        evidence=lambda scene: Evidence(
            scene.parties.target, about=(names_of(scene, scene.parties.source),), words=("haproxy", "deflated")
        ),
        harm=_unfolded,
        unharmed=answers_control,
        control="the archive accepts no transfer syntax that is deflated",
        weakenings=(
            EditedFiles(
                "the archive accepts Deflated Explicit VR Little Endian",
                (Edit(SETTINGS, r'("AcceptedTransferSyntaxes": \[)', r'\1"1.2.840.10008.1.2.1.99", '),),
                effect=("systemctl", "restart", UNIT),
                ready=answers,
            ),
        ),
        closes_anyway=True,
    ),
)
