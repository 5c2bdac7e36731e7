"""What physicians and technologists do with a study: mark, query, retrieve, report; the same in every practice."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.hospital.ris import Ris
from lab.hospital.workstation import Workstation
from lab.scenarios.examination.course import IMAGES, archive, archives, status_at_ris
from lab.scenarios.failure import StepFailure, require

if TYPE_CHECKING:
    from collections.abc import Collection

    from lab.scenarios.examination.course import ExaminationFacts
    from lab.scenarios.stage import Stage

GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
COLOUR_PS = "1.2.840.10008.5.1.4.1.1.11.2"
"""Grayscale, and Color, Softcopy Presentation State: which one follows from the image."""
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
STRUCTURED_REPORTS = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.88.11",
        "1.2.840.10008.5.1.4.1.1.88.22",
        "1.2.840.10008.5.1.4.1.1.88.33",
        "1.2.840.10008.5.1.4.1.1.88.34",
    }
)
"""Basic Text, Enhanced, Comprehensive and Comprehensive 3D SR."""


def reader(stage: Stage[object]) -> Workstation:
    """The workstation where physicians read."""
    return Workstation(stage.hospital, stage.hospital.host("reading"))


def add(stage: Stage[ExaminationFacts], at: str, verb: str, classes: Collection[str], *words: str) -> tuple[str, str]:
    """Add an object at a workstation; it has to be at the archive, point at an image of the study, and change none.

    Args:
        stage: where.
        at: the function of the workstation.
        verb: what is done there.
        classes: SOP classes that the object may have.
        words: further arguments of the verb.

    Returns:
        What was observed, and the object's attributes as JSON.

    Raises:
        StepFailure: something else came of it.
    """
    done = stage.facts.examination
    host = stage.hospital.host(at)
    answer = Workstation(stage.hospital, host).add(verb, done.accession, "--archive", done.archive, *words)
    held = archive(stage, done.archive)
    instance = answer.stored.SOPInstanceUID
    found = next((image for image in held.instances(done.study) if image.tag("SOPInstanceUID") == instance), None)
    if found is None:
        raise StepFailure(f"{done.archive} does not have {instance}")
    require(found.tag("SOPClassUID") in classes, f"{done.archive} has it as {found.tag('SOPClassUID')}")
    require(
        (found.tag("PatientID"), found.tag("AccessionNumber")) == (done.patient, done.accession),
        f"{done.archive} has it for {found.tag('PatientID')}, {found.tag('AccessionNumber')}",
    )
    content = json.dumps(held.ask(f"/instances/{found.ID}/simplified-tags"))
    digests = stage.facts.digests
    require(answer.image in digests, f"it is about {answer.image}, which is no image of the scanner")
    require(answer.image in content, f"it does not point at {answer.image}")
    pixels = held.pixels(done.study)
    changed = [uid for uid, digest in digests.items() if pixels.get(uid) != digest]
    require(not changed, f"{len(changed)} original images are no longer what the scanner acquired")
    return f"{done.archive} has {instance}, which points at image {answer.image}; originals are byte-identical", content


def annotate(at: str, classes: Collection[str], stage: Stage[ExaminationFacts]) -> str:
    """The archive has a presentation state that points at an image; originals are unchanged (RAD-19)."""
    return add(stage, at, "annotate", classes, "--text", "Finding")[0]


def query(stage: Stage[ExaminationFacts]) -> str:
    """Every archive answers with the study, and with this patient's only (RAD-14, RAD-129)."""
    done = stage.facts.examination
    seen = {}
    for host in archives(stage.hospital, done):
        for way, web in {"DIMSE": False, "DICOMweb": True}.items():
            matches = reader(stage).query(done.patient, host, web=web)
            mine = [match for match in matches if match.AccessionNumber == done.accession]
            require(len(mine) == 1, f"{host} by {way}: {len(mine)} studies of {done.accession}")
            strangers = [match.PatientID for match in matches if match.PatientID != done.patient]
            require(not strangers, f"{host} answered with studies of {strangers}")
            seen[f"{host} {way}"] = len(matches)
    return ", ".join(f"{where}: {count} studies of {done.patient}" for where, count in seen.items())


def read(stage: Stage[ExaminationFacts]) -> str:
    """Every image is retrieved byte-identical to what was acquired, in every way there is (RAD-16, RAD-107)."""
    done = stage.facts.examination
    ways = {
        "DIMSE": ("--archive", done.archive),
        "DICOMweb": ("--archive", done.archive, "--web"),
        **{
            f"DIMSE from {host}": ("--archive", host) for host in archives(stage.hospital, done) if host != done.archive
        },
    }
    for way, words in ways.items():
        with reader(stage).retrieved(done.accession, *words) as answer:
            digests = reader(stage).digests(answer.folder)
        wrong = [uid for uid, digest in stage.facts.digests.items() if digests.get(uid) != digest]
        require(not wrong, f"{way}: {len(wrong)} of {IMAGES} images are not what the scanner acquired")
    return f"{IMAGES} images, byte-identical to what the scanner acquired, by {', '.join(ways)}"


def report(stage: Stage[ExaminationFacts]) -> str:
    """The archive has the report as SR, and the RIS as final (RAD-24, RAD-128)."""
    done = stage.facts.examination
    impression = f"Normal. {stage.token}"
    words = ("--findings", "No bleeding.", "--impression", impression)
    observed, _ = add(stage, "reading", "report", STRUCTURED_REPORTS, *words)
    status_at_ris(stage, done.accession, "reported")
    reports = Ris.of(stage.hospital).show(done.accession).reports
    source = stage.hospital.host("reading")
    require(
        [(entry.source, entry.status) for entry in reports] == [(source, "F")] and impression in reports[0].report,
        f"the RIS has {reports}",
    )
    require_document(stage, reports[0].instance_uid)
    return f"{observed}; the RIS has the final report of {source}, and names its document"


def require_document(stage: Stage[ExaminationFacts], instance: str) -> None:
    """The document that a report names is a structured report of the examination in its archive.

    Raises:
        StepFailure: it is not.
    """
    done = stage.facts.examination
    classes = [
        found.tag("SOPClassUID")
        for found in archive(stage, done.archive).instances(done.study)
        if found.tag("SOPInstanceUID") == instance
    ]
    require(
        len(classes) == 1 and classes[0] in STRUCTURED_REPORTS,
        f"the report names {instance or 'no document'}, which {done.archive} has as {classes}",
    )
