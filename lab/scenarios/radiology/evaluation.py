"""Second and third workflow: annotations, key objects and measurements are added, the study is read and reported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.hospital.record import Record
from lab.hospital.workstation import Workstation
from lab.scenarios.examination.course import FOLLOWED_WITHIN, archive, status_at_record
from lab.scenarios.examination.reading import (
    GSPS,
    KEY_OBJECTS,
    STRUCTURED_REPORTS,
    add,
    annotate,
    query,
    read,
    report,
    require_document,
)
from lab.scenarios.failure import require
from lab.scenarios.model import Step

if TYPE_CHECKING:
    from lab.scenarios.radiology.facts import RadiologyFacts
    from lab.scenarios.stage import Stage

QUALITY_CONTROL, READING, RIS = Actor("quality-control"), Actor("reading"), Actor("order-filler")


def note_key_image(stage: Stage[RadiologyFacts]) -> str:
    """The PACS has a key object selection that points at an image (RAD-29)."""
    return add(stage, READING.function, "key-objects", {KEY_OBJECTS})[0]


def measure(stage: Stage[RadiologyFacts]) -> str:
    """The PACS has a measurement report of template TID 1500 (RAD-43)."""
    observed, content = add(stage, READING.function, "measure", STRUCTURED_REPORTS)
    require('"1500"' in content, "the report names no template TID 1500")
    return f"TID 1500: {observed}"


def close(stage: Stage[RadiologyFacts]) -> str:
    """The record has the result, and the order completed (RAD-28, RAD-3)."""
    done = stage.facts.examination
    status_at_record(stage, done.placer, "completed")
    results = Record.of(stage.hospital).results(done.placer)
    require(
        len(results) == 1 and results[0].status == "F" and stage.token in results[0].report,
        f"the record has {results}",
    )
    require_document(stage, results[0].instance_uid)
    return f"order {done.placer} is closed at RIS and record; the record has the final report, and names its document"


def correct(stage: Stage[RadiologyFacts]) -> str:
    """A correction is in force at the record, which keeps what it corrects (RAD-24, RAD-128, RAD-28)."""
    done = stage.facts.examination
    said = f"Corrected {stage.token}"
    add(stage, READING.function, "report", STRUCTURED_REPORTS, "--correction", "--impression", said)
    record = Record.of(stage.hospital)
    stage.eventually(
        lambda: [entry.status for entry in record.show(done.placer).results] == ["F", "C"],
        timeout=FOLLOWED_WITHIN,
        otherwise=f"the record has no correction for {done.placer}",
    )
    final, corrected = record.results(done.placer)
    require((final.in_force, corrected.in_force) == (False, True), "the correction is not the report in force")
    require(said in corrected.report, f"the correction says {corrected.report}")
    require_document(stage, corrected.instance_uid)
    return f"the record has the correction of {done.placer} in force, and keeps the report that it replaces"


def conformance(stage: Stage[RadiologyFacts]) -> str:
    """Every object of the run is judged by dciodvfy, and none has an error."""
    desk = Workstation(stage.hospital, stage.hospital.host(QUALITY_CONTROL))
    checked, classes = 0, set()
    for done in [stage.facts.examination, *stage.facts.others]:
        classes |= {instance.tag("SOPClassUID") for instance in archive(stage, done.archive).instances(done.study)}
        with desk.retrieved(done.accession, "--archive", done.archive) as answer:
            verdict = desk.verify(answer.folder)
        require(not verdict.failed, f"{done.accession}: {verdict.failed[:2]}")
        checked += verdict.checked
    return f"{checked} objects of {len(classes)} SOP classes, none with an error"


STEPS: tuple[Step[RadiologyFacts], ...] = (
    Step(
        "annotate", "The technologist marks a finding", QUALITY_CONTROL, "RAD-19 C-STORE GSPS",
        "the PACS has a presentation state that points at an image; originals unchanged",
        partial(annotate, QUALITY_CONTROL.function, {GSPS}), ("store",),
    ),
    Step(
        "key-objects", "The radiologist notes a key image", READING, "RAD-29 C-STORE KOS",
        "the PACS has a key object selection that points at an image; originals unchanged",
        note_key_image, ("store",),
    ),
    Step(
        "measure", "The radiologist measures a region", READING, "RAD-43 C-STORE SR TID 1500",
        "the PACS has a measurement report of TID 1500; originals unchanged", measure, ("store",),
    ),
    Step(
        "query", "The radiologist looks for the patient's studies", READING, "RAD-14, RAD-129",
        "PACS and VNA have the study, and answer with this patient's only", query, ("archive",),
    ),
    Step(
        "read", "The radiologist retrieves the study", READING, "RAD-16, RAD-107",
        "every image is byte-identical to what the scanner acquired", read, ("archive",),
    ),
    Step(
        "report", "The radiologist reports", READING, "RAD-24 C-STORE SR, RAD-128 ORU^R01",
        "the PACS has the report as SR, and the RIS as final", report, ("complete",),
    ),
    Step(
        "close", "The order is closed", RIS, "RAD-28 ORU^R01, RAD-3 ORM^O01",
        "the RIS has it reported; the record has the result and the order completed", close, ("report",),
    ),
    Step(
        "correct", "The radiologist corrects the report", READING, "RAD-24 C-STORE SR, RAD-128 and RAD-28 ORU^R01",
        "the record has the correction in force, and keeps the report that it replaces", correct, ("close",),
    ),
)  # fmt: skip

LAST_STEPS: tuple[Step[RadiologyFacts], ...] = (
    Step(
        "conformance", "Every object conforms to DICOM", QUALITY_CONTROL, "PS3.3, by dciodvfy",
        "no object has an error", conformance, ("store",),
    ),
)  # fmt: skip
"""What is looked at when everything has been made."""
