"""Callers with a good certificate and a name that is not theirs, or for somebody who is not there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.abuse import edges
from lab.abuse.archives import orthanc_setting
from lab.abuse.credentials import held
from lab.abuse.evidence import Evidence
from lab.abuse.misuse import Misuse, fresh_instance
from lab.abuse.model import AbuseCase
from lab.abuse.parties import DICOM_NODE, scanner_alone_at_archive, scanner_at_archive
from lab.abuse.sights import answers_control, names_of, stored

if TYPE_CHECKING:
    from lab.abuse.scene import Scene

NOBODY = "NOBODY"
"""An AE title that no archive has."""


def _as_other(scene: Scene) -> list[str]:
    """Arguments that claim the other scanner's AE title."""
    return ["--ae-title", scene.ae_title(scene.parties.other), *fresh_instance(scene)]


_FORGER = partial(AbuseCase, harm=stored, unharmed=answers_control)

CASES = (
    _FORGER(
        "abuse.dicom-other-ae-title",
        "DICOM: the right certificate with another modality's AE title",
        parties=scanner_at_archive,
        attempt=Misuse("dicom-other-title", words=_as_other),
        evidence=lambda scene: Evidence(
            scene.parties.target,
            "ae-mismatch",
            about=(names_of(scene, scene.parties.source), frozenset({scene.ae_title(scene.parties.other)})),
        ),
        control="the DICOM edge binds the calling AE title to the certificate",
        weakenings=(
            edges.RELOADED(
                "the edge compares no AE title with the certificate", edges.without(edges.DICOM, "ae-mismatch")
            ),
        ),
    ),
    _FORGER(
        "abuse.dicom-stolen-certificate",
        "DICOM: another modality's certificate and AE title, from the wrong address",
        parties=scanner_at_archive,
        attempt=Misuse(
            "dicom-other-certificate",
            words=_as_other,
            credential=lambda scene: held(scene, scene.parties.other, DICOM_NODE),
        ),
        evidence=lambda scene: Evidence(
            scene.parties.target,
            "address-mismatch",
            about=(names_of(scene, scene.parties.source), names_of(scene, scene.parties.other)),
        ),
        control="the DICOM edge binds the certificate to its host's address",
        weakenings=(
            edges.RELOADED(
                "the edge compares no address with the certificate", edges.without(edges.DICOM, "address-mismatch")
            ),
        ),
    ),
    _FORGER(
        "abuse.dicom-unknown-called-ae",
        "DICOM: a called AE title that is not there",
        parties=scanner_alone_at_archive,
        attempt=Misuse("dicom-unknown-called", words=lambda scene: ["--ae-title", NOBODY, *fresh_instance(scene)]),
        evidence=lambda scene: Evidence(scene.parties.target, words=("Rejected association", NOBODY)),
        control="the archive answers to its own AE title alone",
        weakenings=(orthanc_setting("DicomCheckCalledAet", shipped=True, text="the archive answers to any AE title"),),
    ),
)
