"""Scanners that ask the order filler for another's worklist, change a completed step, or speak for an archive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse
from lab.abuse.model import AbuseCase
from lab.abuse.order_filler import restarted
from lab.abuse.parties import scanner_at_ris, scanners_at_ris
from lab.abuse.sights import answers_control, names_of, scheduled
from lab.abuse.weakening import literal
from lab.hospital.database import rows

if TYPE_CHECKING:
    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene

WORKLIST = "ris/dicom.py"
STEPS = "ris/mpps.py"


def _station(scene: Scene) -> str:
    """The AE title of a station of the other kind that has something on its worklist."""
    modality = scene.hospital.described(scene.parties.other).modality or ""
    return scene.once("station", lambda: scheduled(scene, modality))


def _leaked(scene: Scene, tried: Tried) -> str:
    """Harm: patients of another station's worklist were named."""
    patients = tried.facts.get("patients", [])
    return f"{scene.parties.source} was told of {len(patients)} patients of {_station(scene)}" if patients else ""


def _changed(scene: Scene, tried: Tried) -> str:
    """Harm: the order filler keeps the completed step as discontinued."""
    uid = str(tried.facts["instance"])
    query = "SELECT status FROM performed_steps WHERE sop_instance_uid = :'uid'"
    states = [row["status"] for row in rows(scene.lab, scene.parties.target, query, uid=uid)]
    return f"{scene.parties.target} keeps the completed step as discontinued" if states == ["DISCONTINUED"] else ""


def _believed(scene: Scene, tried: Tried) -> str:
    """Harm: the order filler keeps the invented image as available."""
    uid, target = str(tried.facts["instance"]), scene.parties.target
    query = "SELECT availability FROM instances WHERE sop_instance_uid = :'uid'"
    states = [row["availability"] for row in rows(scene.lab, target, query, uid=uid)]
    return f"{target} keeps image {uid}, which nobody made, as {states[0]}" if states else ""


CASES = (
    AbuseCase(
        "abuse.dicom-foreign-worklist",
        "DICOM: a scanner asks for another modality's worklist",
        parties=scanners_at_ris,
        attempt=Misuse("dicom-other-worklist", words=lambda scene: ["--ae-title", _station(scene)]),
        evidence=lambda scene: Evidence(
            scene.parties.target,
            "foreign-worklist",
            about=(names_of(scene, scene.parties.source), frozenset({_station(scene)})),
        ),
        harm=_leaked,
        unharmed=answers_control,
        control="the order filler shows a station its own worklist alone",
        weakenings=(
            restarted(
                "the order filler shows the worklist of whatever station is asked for",
                literal(
                    WORKLIST,
                    'if asked not in {"", calling} and not worklist.has_wildcard(asked):',
                    "if not asked:",
                ),
                literal(WORKLIST, "in self._items(calling)", "in self._items(asked or calling)"),
            ),
        ),
    ),
    AbuseCase(
        "abuse.dicom-completed-step",
        "DICOM: a completed procedure step is changed",
        parties=scanner_at_ris,
        attempt=Misuse("dicom-completed-step"),
        evidence=lambda scene: Evidence(
            scene.parties.target, "final-state", about=(names_of(scene, scene.parties.source),)
        ),
        harm=_changed,
        unharmed=answers_control,
        control="the order filler's state machine: a final state is final",
        weakenings=(
            restarted(
                "the state machine lets a completed step be discontinued",
                literal(STEPS, "(COMPLETED, DISCONTINUED): False", "(COMPLETED, DISCONTINUED): True"),
            ),
        ),
    ),
    AbuseCase(
        "abuse.dicom-false-availability",
        "DICOM: a scanner tells the order filler that an archive has images",
        parties=scanner_at_ris,
        attempt=Misuse("dicom-false-availability"),
        evidence=lambda scene: Evidence(
            scene.parties.target,
            "not-permitted",
            about=(names_of(scene, scene.parties.source), frozenset({"RAD-49"})),
        ),
        harm=_believed,
        unharmed=answers_control,
        control="the order filler permits each caller its own operations alone",
        weakenings=(
            restarted(
                "the order filler takes notifications from whoever performs steps",
                literal(WORKLIST, '"IAN",', '"MPPS",'),
            ),
        ),
    ),
)
