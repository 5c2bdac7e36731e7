"""Second and third workflow: annotations, key objects and measurements are added, the study is read and reported."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from lab.scenarios.failure import StepFailure
from lab.scenarios.model import Step
from lab.scenarios.radiology.acquisition import IMAGES, examination
from lab.scenarios.radiology.clinic import Clinic
from lab.scenarios.stage import require

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scenarios.radiology.clinic import Examination
    from lab.scenarios.stage import Stage

GSPS = "1.2.840.10008.5.1.4.1.1.11.1"
COLOUR_PS = "1.2.840.10008.5.1.4.1.1.11.2"
"""Grayscale, and Color, Softcopy Presentation State: which one follows from the image."""
KEY_OBJECTS = "1.2.840.10008.5.1.4.1.1.88.59"
STRUCTURED_REPORTS = {
    "1.2.840.10008.5.1.4.1.1.88.11",
    "1.2.840.10008.5.1.4.1.1.88.22",
    "1.2.840.10008.5.1.4.1.1.88.33",
    "1.2.840.10008.5.1.4.1.1.88.34",
}
"""Basic Text, Enhanced, Comprehensive and Comprehensive 3D SR."""
HOME = "/var/lib/pacslab/workstation"
FOLDER_DIGESTS = r"""
import hashlib, json, pathlib, sys
import pydicom
from pydicom.encaps import generate_frames
digests = {}
for path in pathlib.Path(sys.argv[1]).rglob("*.dcm"):
    image = pydicom.dcmread(path)
    if "PixelData" in image:
        data = [image.PixelData]
        if image.file_meta.TransferSyntaxUID.is_compressed:
            data = generate_frames(image.PixelData, number_of_frames=int(image.get("NumberOfFrames") or 1))
        digests[image.SOPInstanceUID] = hashlib.sha256(b"".join(data)).hexdigest()
print(json.dumps(digests))
"""
"""Runs on a workstation: SHA-256 over the pixel data of what it retrieved."""


@contextmanager
def retrieved(stage: Stage, host: str, done: Examination, *words: str) -> Iterator[dict[str, Any]]:
    """Retrieve a study into a folder of its own on a workstation, and remove it afterwards; yields the answer."""
    folder = f"{HOME}/{stage.token}"
    argv = ["pacslab-workstation", "retrieve", done.accession, "--to", folder, *words, "--json"]
    try:
        yield stage.ask(host, argv, timeout=180)
    finally:
        stage.run(host, ["rm", "-rf", folder])


def digests_of(stage: Stage, host: str, folder: str) -> dict[str, str]:
    """SHA-256 of pixel data by SOPInstanceUID, of what a workstation has in a folder."""
    found = stage.run(host, ["/opt/pacslab/venv/bin/python", "-c", FOLDER_DIGESTS, folder], timeout=120)
    require(found.code == 0, f"{host} cannot read {folder}: {found.stderr.strip()[-200:]}")
    digests: dict[str, str] = json.loads(found.stdout)
    return digests


def add(verb: str, classes: set[str], host: str, words: tuple[str, ...], stage: Stage) -> str:
    """Add an object at a workstation; it has to be at the PACS, point at an image of the study, and change no image."""
    clinic, done = Clinic(stage), examination(stage)
    answer = stage.ask(host, ["pacslab-workstation", verb, done.accession, *words, "--json"], timeout=120)
    archive = clinic.archive(clinic.pacs)
    instance = answer["stored"]["SOPInstanceUID"]
    found = next((one for one in archive.instances(done.study) if one["SOPInstanceUID"] == instance), None)
    if found is None:
        raise StepFailure(f"{clinic.pacs} does not have {instance}")
    require(found["SOPClassUID"] in classes, f"{clinic.pacs} has it as {found['SOPClassUID']}")
    require(
        (found["PatientID"], found["AccessionNumber"]) == (done.patient, done.accession),
        f"{clinic.pacs} has it for {found['PatientID']}, {found['AccessionNumber']}",
    )
    content = json.dumps(archive.ask(f"/instances/{found['ID']}/simplified-tags"))
    require(
        answer["image"] in stage.facts["digests"], f"it is about {answer['image']}, which is no image of the scanner"
    )
    require(answer["image"] in content, f"it does not point at {answer['image']}")
    pixels = archive.pixels(done.study)
    changed = [uid for uid, digest in stage.facts["digests"].items() if pixels.get(uid) != digest]
    require(not changed, f"{len(changed)} original images are no longer what the scanner acquired")
    stage.facts.setdefault("contents", {})[verb] = content
    return f"{clinic.pacs} has {instance}, which points at image {answer['image']}; all originals are byte-identical"


def measure(host: str, stage: Stage) -> str:
    """RAD-43: SR with TID 1500."""
    observed = add("measure", STRUCTURED_REPORTS, host, (), stage)
    require('"1500"' in stage.facts["contents"]["measure"], "the report names no template TID 1500")
    return f"TID 1500: {observed}"


def query(stage: Stage) -> str:
    """RAD-14, RAD-129."""
    clinic, done = Clinic(stage), examination(stage)
    seen = {}
    for archive in clinic.archives:
        for way in ((), ("--web",)):
            argv = ["pacslab-workstation", "query", "--patient", done.patient, "--archive", archive, *way, "--json"]
            matches = stage.ask(clinic.reader, argv)["matches"]
            mine = [one for one in matches if one["AccessionNumber"] == done.accession]
            require(
                len(mine) == 1, f"{archive}{' by DICOMweb' if way else ''}: {len(mine)} studies of {done.accession}"
            )
            strangers = [one["PatientID"] for one in matches if one["PatientID"] != done.patient]
            require(not strangers, f"{archive} answered with studies of {strangers}")
            seen[f"{archive} {'DICOMweb' if way else 'DIMSE'}"] = len(matches)
    return ", ".join(f"{where}: {count} studies of {done.patient}" for where, count in seen.items())


def read(stage: Stage) -> str:
    """RAD-16, RAD-107."""
    clinic, done = Clinic(stage), examination(stage)
    ways = {"DIMSE": (), "DICOMweb": ("--web",), f"DIMSE from {clinic.vna}": ("--archive", clinic.vna)}
    for way, words in ways.items():
        with retrieved(stage, clinic.reader, done, *words) as answer:
            digests = digests_of(stage, clinic.reader, answer["folder"])
        wrong = [uid for uid, digest in stage.facts["digests"].items() if digests.get(uid) != digest]
        require(not wrong, f"{way}: {len(wrong)} of {IMAGES} images are not what the scanner acquired")
    return f"{IMAGES} images, byte-identical to what the scanner acquired, by {', '.join(ways)}"


def report(stage: Stage) -> str:
    """RAD-24, RAD-28."""
    clinic, done = Clinic(stage), examination(stage)
    impression = f"Normal. {stage.token}"
    words = ("--findings", "No bleeding.", "--impression", impression)
    observed = add("report", STRUCTURED_REPORTS, clinic.reader, words, stage)
    clinic.status_at_ris(done.accession, "reported")
    reports = clinic.of_ris(done.accession)["reports"]
    require(
        [(one["source"], one["status"]) for one in reports] == [(clinic.reader, "F")]
        and impression in reports[0]["report"],
        f"the RIS has {reports}",
    )
    return f"{observed}; the RIS has the final report of {clinic.reader}"


def close(stage: Stage) -> str:
    """RAD-28, RAD-3."""
    clinic, done = Clinic(stage), examination(stage)
    clinic.status_at_record(done.placer, "completed")
    results = clinic.of_record(done.placer)["results"]
    require(
        len(results) == 1 and results[0]["status"] == "F" and stage.token in results[0]["report"],
        f"the record has {results}",
    )
    return f"order {done.placer} is closed at RIS and record; the record has the final report"


def conformance(stage: Stage) -> str:
    """Every object of the run, judged by dciodvfy."""
    clinic = Clinic(stage)
    checked, classes = 0, set()
    for done in [examination(stage), *stage.facts.get("others", [])]:
        classes |= {one["SOPClassUID"] for one in clinic.archive(clinic.pacs).instances(done.study)}
        with retrieved(stage, clinic.technologist, done) as answer:
            argv = ["pacslab-workstation", "verify", answer["folder"], "--json"]
            judged = json.loads(stage.run(clinic.technologist, argv, timeout=300).stdout)
        require(not judged["failed"], f"{done.accession}: {judged['failed'][:2]}")
        checked += judged["checked"]
    return f"{checked} objects of {len(classes)} SOP classes, none with an error"


def steps(stage: Stage) -> tuple[Step, ...]:
    """The second and third workflow."""
    clinic = Clinic(stage)
    technologist, reader = clinic.technologist, clinic.reader
    return (
        Step(
            "annotate", "The technologist marks a finding", technologist, "RAD-18 C-STORE GSPS",
            ("PR.DS-2", "PR.DS-6"), "the PACS has a presentation state that points at an image; originals unchanged",
            partial(add, "annotate", {GSPS}, technologist, ("--text", "Finding")), ("store",),
        ),
        Step(
            "key-objects", "The radiologist notes a key image", reader, "RAD-29 C-STORE KOS",
            ("PR.DS-2", "PR.DS-6"), "the PACS has a key object selection that points at an image; originals unchanged",
            partial(add, "key-objects", {KEY_OBJECTS}, reader, ()), ("store",),
        ),
        Step(
            "measure", "The radiologist measures a region", reader, "RAD-43 C-STORE SR TID 1500",
            ("PR.DS-2", "PR.DS-6"), "the PACS has a measurement report of TID 1500; originals unchanged",
            partial(measure, reader), ("store",),
        ),
        Step(
            "query", "The radiologist looks for the patient's studies", reader, "RAD-14, RAD-129",
            ("PR.AC-4", "PR.DS-2"), "PACS and VNA have the study, and answer with this patient's only", query,
            ("archive",),
        ),
        Step(
            "read", "The radiologist retrieves the study", reader, "RAD-16, RAD-107", ("PR.DS-2", "PR.DS-6"),
            "every image is byte-identical to what the scanner acquired", read, ("archive",),
        ),
        Step(
            "report", "The radiologist reports", reader, "RAD-24 ORU^R01", ("PR.DS-2", "PR.DS-6"),
            "the PACS has the report as SR, and the RIS as final", report, ("complete",),
        ),
        Step(
            "close", "The order is closed", clinic.ris, "RAD-28 ORU^R01, RAD-3 ORM^O01", ("PR.DS-2",),
            "the RIS has it reported; the record has the result and the order completed", close, ("report",),
        ),
    )  # fmt: skip


def last_steps(stage: Stage) -> tuple[Step, ...]:
    """What is looked at when everything has been made."""
    return (
        Step(
            "conformance", "Every object conforms to DICOM", Clinic(stage).technologist, "PS3.3, by dciodvfy",
            ("PR.DS-6",), "no object has an error", conformance, ("store",),
        ),
    )  # fmt: skip
