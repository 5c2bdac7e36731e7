"""A practice without record and long-term archive: registered and ordered at the RIS, scanned, read and reported."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.hospital.ris import Ris
from lab.scenarios.examination.acquisition import availability, begin, commit, complete, schedule, store, worklist
from lab.scenarios.examination.course import US_ABDOMEN, ExaminationFacts, scheduled
from lab.scenarios.examination.reading import COLOUR_PS, GSPS, annotate, query, read, report
from lab.scenarios.failure import require
from lab.scenarios.model import Scenario, Step

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage

RIS, READING, ARCHIVE = Actor("order-filler"), Actor("reading"), Actor("primary-archive")
SCANNER = Actor("acquisition", US_ABDOMEN.section)


def register(stage: Stage[ExaminationFacts]) -> str:
    """The patient is taken down at the RIS."""
    ris = Ris.of(stage.hospital)
    stage.facts.patient = ris.register(f"Test{stage.token}", "Anna")
    return f"{ris.host} registered patient {stage.facts.patient}"


def order(stage: Stage[ExaminationFacts]) -> str:
    """The walk-in order is scheduled on a station."""
    ris, patient = Ris.of(stage.hospital), stage.facts.patient
    known = ris.show(ris.order(patient, US_ABDOMEN).accession).procedure
    require(
        (known.patient_id, known.status) == (patient, "scheduled"), f"the RIS has {known.patient_id} as {known.status}"
    )
    done = scheduled(stage.hospital, known)
    stage.facts.examination = done
    return f"order {done.placer} is scheduled as {done.accession} on {done.station}"


def closed(stage: Stage[ExaminationFacts]) -> str:
    """The order is reported, and nobody else has to be told."""
    known = Ris.of(stage.hospital).show(stage.facts.examination.accession)
    waiting = [message for message in known.messages if message.state in {"waiting", "refused"}]
    require(known.procedure.status == "reported", f"the RIS has it as {known.procedure.status}")
    require(not waiting, f"{len(waiting)} messages wait or were refused: {waiting[:2]}")
    return f"the RIS has it reported; all {len(known.messages)} messages of the order were answered"


SCENARIO = Scenario(
    name="small-practice-workflow",
    title="A practice without a health record",
    summary="A walk-in from registration at the RIS to the report, over mutual TLS; needs neither record nor VNA.",
    facts=ExaminationFacts,
    without=("order-placer",),
    steps=(
        Step("register", "Register a patient", RIS, "at the RIS", "the RIS has the patient", register),
        Step(
            "order", "Order an ultrasound of the abdomen", RIS, "at the RIS",
            "the RIS has it scheduled under an accession number", order, ("register",),
        ),
        Step(
            "schedule", "The archive learns of the procedure", RIS, "RAD-4 ORM^O01",
            "it acknowledges and keeps the procedure", schedule, ("order",),
        ),
        Step(
            "worklist", "The scanner asks for its worklist", SCANNER, "RAD-5 MWL C-FIND",
            "the patient's step, and no step of another station", worklist, ("order",),
        ),
        Step(
            "begin", "The procedure step begins", SCANNER, "RAD-6 MPPS N-CREATE",
            "the RIS has it in progress", begin, ("worklist",),
        ),
        Step(
            "store", "Images are stored in the PACS", SCANNER, "RAD-8 C-STORE",
            "every image in the scheduled study, under patient and accession number", store, ("begin",),
        ),
        Step(
            "complete", "The procedure step is completed", SCANNER, "RAD-7 MPPS N-SET",
            "the RIS lists the series and images that the PACS has", complete, ("store",),
        ),
        Step(
            "commit", "The PACS answers for the images", SCANNER, "RAD-10 Storage Commitment",
            "local copies are deleted only after the PACS has committed", commit, ("complete",),
        ),
        Step(
            "availability", "The order filler learns what there is", ARCHIVE, "RAD-49 IAN N-CREATE",
            "the RIS has every image as available at the PACS, and misses none", availability, ("complete",),
        ),
        Step(
            "annotate", "The radiologist marks a finding", READING, "RAD-19 C-STORE",
            "the PACS has a presentation state that points at an image; originals unchanged",
            partial(annotate, READING.function, {GSPS, COLOUR_PS}), ("store",),
        ),
        Step(
            "query", "The radiologist looks for the patient's studies", READING, "RAD-14, RAD-129",
            "the PACS has the study, and answers with this patient's only", query, ("store",),
        ),
        Step(
            "read", "The radiologist retrieves the study", READING, "RAD-16, RAD-107",
            "every image is byte-identical to what the scanner acquired", read, ("store",),
        ),
        Step(
            "report", "The radiologist reports", READING, "RAD-24 C-STORE SR, RAD-128 ORU^R01",
            "the PACS has the report as SR, and the RIS as final", report, ("complete",),
        ),
        Step(
            "close", "The order is closed", RIS, "at the RIS",
            "the RIS has it reported, and nothing waits to be sent", closed, ("report",),
        ),
    ),
)  # fmt: skip
