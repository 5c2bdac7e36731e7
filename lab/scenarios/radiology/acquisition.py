"""First workflow: a patient is registered, an image is ordered, scheduled, acquired, stored, committed and archived."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lab.scenarios.model import Step
from lab.scenarios.radiology.clinic import CT_HEAD, FOLLOWED_WITHIN, Clinic, Examination
from lab.scenarios.stage import require

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage

IMAGES = 12
SPOOL_DIGESTS = r"""
import hashlib, json, pathlib, sys
import pydicom
from pydicom.encaps import generate_frames
digests = {}
for path in pathlib.Path("/var/lib/pacslab/modality/images").glob("*.dcm"):
    image = pydicom.dcmread(path)
    if image.StudyInstanceUID == sys.argv[1] and "PixelData" in image:
        data = [image.PixelData]
        if image.file_meta.TransferSyntaxUID.is_compressed:
            data = generate_frames(image.PixelData, number_of_frames=int(image.get("NumberOfFrames") or 1))
        digests[image.SOPInstanceUID] = hashlib.sha256(b"".join(data)).hexdigest()
print(json.dumps(digests))
"""
"""Runs on the station: SHA-256 over the pixel data of what it acquired, before anything else has touched it.

Of compressed images it is over their frames, because how frames are wrapped (PS3.5 A.4) is not the picture."""


def examination(stage: Stage) -> Examination:
    """The order that the first workflow follows."""
    found: Examination = stage.facts["examination"]
    return found


def station(stage: Stage) -> str:
    """The station that the order was scheduled on; before it is, the first one of its kind."""
    if "examination" in stage.facts:
        return examination(stage).station
    return next(name for name, host in stage.lab.site.hosts.items() if host.modality == CT_HEAD.modality)


def register(stage: Stage) -> str:
    """RAD-1."""
    clinic = Clinic(stage)
    mark = stage.collected.mark(clinic.ris)
    answer = clinic.register("Anna")
    stage.facts["patient"] = answer["patient"]["identifier"]
    seen = clinic.received(clinic.ris, mark, answer["message"]["control_id"])
    return f"patient {stage.facts['patient']}: {seen}"


def order(stage: Stage) -> str:
    """RAD-2, RAD-3."""
    clinic = Clinic(stage)
    placed = clinic.order(stage.facts["patient"], CT_HEAD)
    stage.facts["examination"] = placed
    procedure = clinic.of_ris(placed.accession)["procedure"]
    require(
        (procedure["placer"], procedure["patient_id"], procedure["status"])
        == (placed.placer, placed.patient, "scheduled"),
        f"the RIS has {procedure['placer']} of {procedure['patient_id']} as {procedure['status']}",
    )
    return f"order {placed.placer} is scheduled as {placed.accession} on {placed.station}"


def schedule(stage: Stage) -> str:
    """RAD-4."""
    clinic, done = Clinic(stage), examination(stage)

    def told() -> list[str]:
        messages = clinic.of_ris(done.accession)["messages"]
        return sorted(
            one["peer"]
            for one in messages
            if one["type"] == "ORM^O01" and one["state"] == "delivered" and one["peer"] in clinic.archives
        )

    seen = stage.eventually(
        lambda: told() if told() == sorted(clinic.archives) else None,
        timeout=FOLLOWED_WITHIN,
        otherwise=f"not every archive acknowledged the procedure: {', '.join(told()) or 'none'}",
    )
    marks = {host: clinic.knows_procedure(host, done) for host in seen}
    return "; ".join(f"{host} keeps procedure {known}" for host, known in marks.items())


def worklist(stage: Stage) -> str:
    """RAD-5."""
    clinic, done = Clinic(stage), examination(stage)
    items = clinic.at(done.station, "worklist")["items"]
    title = stage.lab.site.hosts[done.station].ae_title
    others = [item for item in items if item["station"] != title]
    require(not others, f"{len(others)} steps of other stations: {others[:2]}")
    mine = [item for item in items if item["accession"] == done.accession]
    require(len(mine) == 1, f"{len(mine)} steps of {done.accession} among {len(items)}")
    require(mine[0]["patient_id"] == done.patient, f"the step is for patient {mine[0]['patient_id']}")
    return f"{len(items)} steps, all of {title}; {done.accession} for {done.patient} among them"


def begin(stage: Stage) -> str:
    """RAD-6."""
    clinic, done = Clinic(stage), examination(stage)
    step = clinic.at(done.station, "begin", done.accession)
    clinic.status_at_ris(done.accession, "in progress")
    performed = clinic.of_ris(done.accession)["performed_steps"]
    require(
        [(one["sop_instance_uid"], one["status"]) for one in performed] == [(step["uid"], "IN PROGRESS")],
        f"the RIS has {performed}",
    )
    stage.facts["mpps"] = step["uid"]
    clinic.status_at_record(done.placer, "in progress")
    return f"RIS and record have {done.accession} in progress, as step {step['uid']}"


def store(stage: Stage) -> str:
    """RAD-8."""
    clinic, done = Clinic(stage), examination(stage)
    step = clinic.at(done.station, "store", done.accession, "--images", str(IMAGES))
    require(step["states"]["stored"] == IMAGES, f"the station has {step['states']}")
    digests = stage.run(done.station, ["/opt/pacslab/venv/bin/python", "-c", SPOOL_DIGESTS, done.study])
    stage.facts["digests"] = json.loads(digests.stdout)
    require(len(stage.facts["digests"]) == IMAGES, f"{len(stage.facts['digests'])} images in the station's spool")
    held = clinic.archive(clinic.pacs).instances(done.study)
    named = {(one["PatientID"], one["AccessionNumber"]) for one in held}
    require(
        {one["SOPInstanceUID"] for one in held} == set(stage.facts["digests"])
        and named == {(done.patient, done.accession)},
        f"{clinic.pacs} has {len(held)} instances of {named}",
    )
    return f"{clinic.pacs} has {len(held)} images of {done.patient}, {done.accession}, in the scheduled study"


def complete(stage: Stage) -> str:
    """RAD-7."""
    clinic, done = Clinic(stage), examination(stage)
    clinic.at(done.station, "complete", done.accession)
    clinic.status_at_ris(done.accession, "completed")
    (performed,) = clinic.of_ris(done.accession)["performed_steps"]
    series = {
        one["MainDicomTags"]["SeriesInstanceUID"]
        for one in clinic.archive(clinic.pacs).find("Series", StudyInstanceUID=done.study)
    }
    require(
        performed["status"] == "COMPLETED"
        and performed["images"] == IMAGES
        and {one["series_uid"] for one in performed["series"]} == series,
        f"the RIS has {performed['status']} with {performed['images']} images in {performed['series']}",
    )
    return f"the RIS has {performed['images']} images completed, in the series that {clinic.pacs} has"


def commit(stage: Stage) -> str:
    """RAD-10."""
    clinic, done = Clinic(stage), examination(stage)
    kept = _files(stage, done)
    require(kept == IMAGES, f"{kept} of {IMAGES} local copies before the archive has answered for them")
    answer = clinic.at(done.station, "commit", done.accession, "--wait", str(FOLLOWED_WITHIN))
    require(answer["commitment"] == "committed", f"the commitment is {answer['commitment'] or 'not answered'}")
    require(answer["states"]["committed"] == IMAGES, f"the station has {answer['states']}")
    left = _files(stage, done)
    require(left == 0, f"{left} local copies after the archive has answered for them")
    return f"{IMAGES} local copies until {clinic.pacs} had answered for them, none after"


def _files(stage: Stage, done: Examination) -> int:
    """How many image files of an examination the station still has."""
    uids = [one["uid"] for one in Clinic(stage).queue(done)["instances"]]
    script = 'n=0; for uid; do test -e "/var/lib/pacslab/modality/images/$uid.dcm" && n=$((n+1)); done; echo $n'
    return int(stage.run(done.station, ["sh", "-c", script, "sh", *uids]).stdout)


def archive(stage: Stage) -> str:
    """PACS to VNA."""
    clinic, done = Clinic(stage), examination(stage)
    vna = clinic.archive(clinic.vna)
    stage.eventually(
        lambda: len(vna.instances(done.study)) == IMAGES,
        timeout=2 * FOLLOWED_WITHIN,
        otherwise=f"{clinic.vna} does not have all images of {done.accession}",
    )
    for host in clinic.archives:
        same = clinic.archive(host).pixels(done.study) == stage.facts["digests"]
        require(same, f"pixel data at {host} is not what the station acquired")
    return f"{clinic.vna} has all {IMAGES} images; pixel data at {clinic.pacs} and {clinic.vna} is as acquired"


def steps(stage: Stage) -> tuple[Step, ...]:
    """The first workflow."""
    clinic = Clinic(stage)
    return (
        Step(
            "register", "Register a patient", clinic.record, "RAD-1 ADT^A04", ("PR.DS-2",),
            "the RIS takes the message and logs it", register,
        ),
        Step(
            "order", "Order a CT of the head", clinic.record, "RAD-2, RAD-3 ORM^O01", ("PR.DS-2",),
            "the RIS schedules it under an accession number, and the record learns it", order, ("register",),
        ),
        Step(
            "schedule", "The archives learn of the procedure", clinic.ris, "RAD-4 ORM^O01", ("PR.DS-2",),
            "every archive acknowledges and keeps the procedure", schedule, ("order",),
        ),
        Step(
            "worklist", "The scanner asks for its worklist", station, "RAD-5 MWL C-FIND", ("PR.AC-4", "PR.DS-2"),
            "the patient's step, and no step of another station", worklist, ("order",),
        ),
        Step(
            "begin", "The procedure step begins", station, "RAD-6 MPPS N-CREATE", ("PR.DS-2",),
            "RIS and record have it in progress", begin, ("worklist",),
        ),
        Step(
            "store", "Images are stored in the PACS", station, "RAD-8 C-STORE", ("PR.DS-2", "PR.DS-6"),
            "every image in the scheduled study, under patient and accession number", store, ("begin",),
        ),
        Step(
            "complete", "The procedure step is completed", station, "RAD-7 MPPS N-SET", ("PR.DS-2",),
            "the RIS lists the series and images that the PACS has", complete, ("store",),
        ),
        Step(
            "commit", "The PACS answers for the images", station, "RAD-10 Storage Commitment", ("PR.DS-4", "PR.DS-6"),
            "local copies are deleted only after the PACS has committed", commit, ("complete",),
        ),
        Step(
            "archive", "The PACS archives to the VNA", clinic.pacs, "C-STORE", ("PR.DS-2", "PR.DS-6", "PR.IP-4"),
            "the VNA has every image; pixel data is byte-identical everywhere", archive, ("store",),
        ),
    )  # fmt: skip
