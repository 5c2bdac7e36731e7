"""A practice without record and long-term archive: registered and ordered at the RIS, scanned, read and reported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.scenarios.model import Scenario, Step
from lab.scenarios.radiology.acquisition import IMAGES, commit, complete, examination, schedule, store, worklist
from lab.scenarios.radiology.clinic import US_ABDOMEN, Clinic, Examination
from lab.scenarios.radiology.evaluation import COLOUR_PS, GSPS, add, digests_of, query, report, retrieved
from lab.scenarios.stage import require

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage


def register(stage: Stage) -> str:
    """The patient is taken down at the RIS."""
    person = ("--family", f"Test{stage.token}", "--given", "Anna", "--birth-date", "19700412", "--sex", "F")
    ris = Clinic(stage).ris
    stage.facts["patient"] = stage.ask(ris, ["pacslab-ris", "register", *person, "--json"])["patient"]
    return f"{ris} registered patient {stage.facts['patient']}"


def order(stage: Stage) -> str:
    """The walk-in order, and the station that it goes to."""
    clinic, patient = Clinic(stage), stage.facts["patient"]
    what = ("--code", US_ABDOMEN.code, "--text", US_ABDOMEN.text, "--modality", US_ABDOMEN.modality)
    row = stage.ask(clinic.ris, ["pacslab-ris", "order", patient, *what, "--json"])["procedure"]
    known = clinic.of_ris(row["accession"])
    require(
        (known["procedure"]["patient_id"], known["procedure"]["status"]) == (patient, "scheduled"),
        f"the RIS has {known['procedure']['patient_id']} as {known['procedure']['status']}",
    )
    done = Examination(
        patient=patient,
        placer=row["placer"],
        accession=row["accession"],
        study=row["study_uid"],
        modality=US_ABDOMEN.modality,
        station=clinic.station(known["steps"][0]["station_ae"]),
    )
    stage.facts["examination"] = done
    return f"order {done.placer} is scheduled as {done.accession} on {done.station}"


def begin(stage: Stage) -> str:
    """RAD-6."""
    clinic, done = Clinic(stage), examination(stage)
    step = clinic.at(done.station, "begin", done.accession)
    clinic.status_at_ris(done.accession, "in progress")
    return f"the RIS has {done.accession} in progress, as step {step['uid']}"


def read(stage: Stage) -> str:
    """RAD-16, RAD-107."""
    clinic, done = Clinic(stage), examination(stage)
    for way, words in {"DIMSE": (), "DICOMweb": ("--web",)}.items():
        with retrieved(stage, clinic.reader, done, *words) as answer:
            digests = digests_of(stage, clinic.reader, answer["folder"])
        wrong = [uid for uid, digest in stage.facts["digests"].items() if digests.get(uid) != digest]
        require(not wrong, f"{way}: {len(wrong)} of {IMAGES} images are not what the scanner acquired")
    return f"{IMAGES} images, byte-identical to what the scanner acquired, by DIMSE and DICOMweb"


def closed(stage: Stage) -> str:
    """Nobody else has to be told."""
    known = Clinic(stage).of_ris(examination(stage).accession)
    waiting = [one for one in known["messages"] if one["state"] in {"waiting", "refused"}]
    require(known["procedure"]["status"] == "reported", f"the RIS has it as {known['procedure']['status']}")
    require(not waiting, f"{len(waiting)} messages wait or were refused: {waiting[:2]}")
    return f"the RIS has it reported; all {len(known['messages'])} messages of the order were answered"


def build(stage: Stage) -> tuple[Step, ...]:
    """One examination, from the door to the report."""
    clinic = Clinic(stage)
    ris, reader = clinic.ris, clinic.reader
    scanner = next(name for name, host in stage.lab.site.hosts.items() if host.modality == US_ABDOMEN.modality)
    sent = ("PR.DS-2", "PR.DS-6")
    return (
        Step(
            "register", "Register a patient", ris, "at the RIS", ("PR.AC-4",), "the RIS has the patient", register,
        ),
        Step(
            "order", "Order an ultrasound of the abdomen", ris, "at the RIS", ("PR.AC-4",),
            "the RIS has it scheduled under an accession number", order, ("register",),
        ),
        Step(
            "schedule", "The archive learns of the procedure", ris, "RAD-4 ORM^O01", ("PR.DS-2",),
            "it acknowledges and keeps the procedure", schedule, ("order",),
        ),
        Step(
            "worklist", "The scanner asks for its worklist", scanner, "RAD-5 MWL C-FIND", ("PR.AC-4", "PR.DS-2"),
            "the patient's step, and no step of another station", worklist, ("order",),
        ),
        Step(
            "begin", "The procedure step begins", scanner, "RAD-6 MPPS N-CREATE", ("PR.DS-2",),
            "the RIS has it in progress", begin, ("worklist",),
        ),
        Step(
            "store", "Images are stored in the PACS", scanner, "RAD-8 C-STORE", sent,
            "every image in the scheduled study, under patient and accession number", store, ("begin",),
        ),
        Step(
            "complete", "The procedure step is completed", scanner, "RAD-7 MPPS N-SET", ("PR.DS-2",),
            "the RIS lists the series and images that the PACS has", complete, ("store",),
        ),
        Step(
            "commit", "The PACS answers for the images", scanner, "RAD-10 Storage Commitment", ("PR.DS-4", "PR.DS-6"),
            "local copies are deleted only after the PACS has committed", commit, ("complete",),
        ),
        Step(
            "annotate", "The radiologist marks a finding", reader, "RAD-18 C-STORE", sent,
            "the PACS has a presentation state that points at an image; originals unchanged",
            partial(add, "annotate", {GSPS, COLOUR_PS}, reader, ("--text", "Finding")), ("store",),
        ),
        Step(
            "query", "The radiologist looks for the patient's studies", reader, "RAD-14, RAD-129",
            ("PR.AC-4", "PR.DS-2"), "the PACS has the study, and answers with this patient's only", query, ("store",),
        ),
        Step(
            "read", "The radiologist retrieves the study", reader, "RAD-16, RAD-107", sent,
            "every image is byte-identical to what the scanner acquired", read, ("store",),
        ),
        Step(
            "report", "The radiologist reports", reader, "RAD-24 ORU^R01", sent,
            "the PACS has the report as SR, and the RIS as final", report, ("complete",),
        ),
        Step(
            "close", "The order is closed", ris, "at the RIS", ("PR.DS-2",),
            "the RIS has it reported, and nothing waits to be sent", closed, ("report",),
        ),
    )  # fmt: skip


SCENARIO = Scenario(
    name="small-practice-workflow",
    title="A practice without a health record",
    summary="A walk-in from registration at the RIS to the report, over mutual TLS; needs neither record nor VNA.",
    roles=("ris", "modality", "workstation", "orthanc", "image_manager"),
    build=build,
)
