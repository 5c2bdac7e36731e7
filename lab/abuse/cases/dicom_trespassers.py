"""Scanners that are who they say, and ask an archive for what no flow permits them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse.archives import orthanc_setting
from lab.abuse.evidence import Evidence
from lab.abuse.failure import require
from lab.abuse.misuse import Misuse, misuse
from lab.abuse.model import AbuseCase
from lab.abuse.parties import scanner_alone_at_archive
from lab.abuse.sights import answers_control, of_announced
from lab.hospital.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.abuse.attempt import Tried
    from lab.abuse.scene import Scene


CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
UNCOMPRESSED = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")


def _study(scene: Scene) -> str:
    """A study that the archive holds, of the kind that the attempt takes; else one that the scanner stores, as it may.

    An archive that hands out nothing for lack of a common presentation context has refused nothing (PS3.4 C.5.3.1).
    """

    def look() -> str:
        archive = Archive(scene.hospital, scene.parties.target)
        images = {image.tag("StudyInstanceUID"): image for image in archive.find("Instance", SOPClassUID=CT_IMAGE)}
        for study, image in images.items():
            of_the_kind = all(other.tag("SOPClassUID") == CT_IMAGE for other in archive.instances(study))
            syntax = archive.ask(f"/instances/{image.ID}/metadata?expand").get("TransferSyntax")
            if of_the_kind and syntax in UNCOMPRESSED:
                return study
        stored = misuse(scene, scene.parties.source, "dicom-store", *of_announced(scene))
        require(not stored.refused, f"{scene.parties.target} refuses an object that it expects: {stored.detail}")
        return str(stored.facts["study"])

    return scene.once("study", look)


def _found(scene: Scene, tried: Tried) -> str:
    """Harm: studies were listed."""
    matches = tried.facts.get("matches", 0)
    return f"{scene.parties.target} told {scene.parties.source} of {matches} studies" if matches else ""


def _handed_out(scene: Scene, tried: Tried) -> str:
    """Harm: images were handed out."""
    images = tried.facts.get("instances", [])
    return f"{scene.parties.target} handed {scene.parties.source} {len(images)} images" if images else ""


def _rejected(operation: str) -> Callable[[Scene], Evidence]:
    return lambda scene: Evidence(
        scene.parties.target, words=(f"Rejected {operation} request", scene.ae_title(scene.parties.source))
    )


def _find_words(scene: Scene) -> list[str]:
    _study(scene)  # there has to be something to find
    return []


_TRESPASSER = partial(AbuseCase, parties=scanner_alone_at_archive, unharmed=answers_control)

CASES = (
    _TRESPASSER(
        "abuse.dicom-modality-find",
        "DICOM: a scanner asks the archive for studies",
        attempt=Misuse("dicom-find", words=_find_words),
        evidence=_rejected("Find"),
        harm=_found,
        control="the archive permits each caller its own operations alone",
        weakenings=(
            orthanc_setting("DicomAlwaysAllowFind", shipped=False, text="the archive lets every caller query"),
        ),
    ),
    _TRESPASSER(
        "abuse.dicom-modality-get",
        "DICOM: a scanner retrieves a study from the archive",
        attempt=Misuse("dicom-get", words=lambda scene: ["--instance", _study(scene)]),
        evidence=_rejected("Get"),
        harm=_handed_out,
        control="the archive permits each caller its own operations alone",
        weakenings=(
            orthanc_setting("DicomAlwaysAllowGet", shipped=False, text="the archive lets every caller retrieve"),
        ),
    ),
)
