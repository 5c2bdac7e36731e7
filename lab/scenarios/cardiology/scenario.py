"""A department with an archive of its own: an echocardiogram goes to cardiology's PACS, and from there to the VNA."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.scenarios.examination.acquisition import (
    availability,
    begin,
    commit,
    complete,
    schedule,
    send_on,
    store,
    worklist,
)
from lab.scenarios.examination.course import ECHO, ExaminationFacts, archive
from lab.scenarios.examination.ordering import order, register
from lab.scenarios.examination.reading import query, read
from lab.scenarios.failure import require
from lab.scenarios.model import Scenario, Step

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage

RECORD, RIS, READING = Actor("order-placer"), Actor("order-filler"), Actor("reading")
SCANNER, ARCHIVE = Actor("echocardiography"), Actor("cardiology-archive")
ELSEWHERE = Actor("primary-archive")


def apart(stage: Stage[ExaminationFacts]) -> str:
    """Nothing of the examination is at the archive of another department."""
    done, other = stage.facts.examination, stage.hospital.host(ELSEWHERE)
    require(done.archive == stage.hospital.host(ARCHIVE), f"{done.station} sends to {done.archive}")
    held = archive(stage, other).instances(done.study)
    require(not held, f"{other} has {len(held)} images of {done.accession}")
    return f"{done.archive} has {done.accession}, and {other} nothing of it"


SCENARIO = Scenario(
    name="cardiology-workflow",
    title="A department with an archive of its own",
    summary="An echocardiogram from order to archive: another archive and another kind of scanner than radiology's.",
    facts=ExaminationFacts,
    also=(Actor("long-term-archive"),),
    steps=(
        Step(
            "register", "Register a patient", RECORD, "RAD-1 ADT^A04",
            "the RIS takes the message and logs it", register,
        ),
        Step(
            "order", "Order an echocardiogram", RECORD, "RAD-2, RAD-3 ORM^O01",
            "it is scheduled on an echocardiography scanner", partial(order, ECHO), ("register",),
        ),
        Step(
            "schedule", "The archives learn of the procedure", RIS, "RAD-4 ORM^O01",
            "cardiology's PACS and the VNA acknowledge and keep the procedure", schedule, ("order",),
        ),
        Step(
            "worklist", "The scanner asks for its worklist", SCANNER, "RAD-5 MWL C-FIND",
            "the patient's step, and no step of another station", worklist, ("order",),
        ),
        Step(
            "begin", "The procedure step begins", SCANNER, "RAD-6 MPPS N-CREATE",
            "RIS and record have it in progress", begin, ("worklist",),
        ),
        Step(
            "store", "Images are stored in cardiology's PACS", SCANNER, "RAD-8 C-STORE",
            "every image in the scheduled study, under patient and accession number", store, ("begin",),
        ),
        Step(
            "apart", "Radiology's PACS is not involved", ELSEWHERE, "RAD-8 C-STORE",
            "it has no image of the examination", apart, ("store",),
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
            "archive", "The PACS archives to the VNA", ARCHIVE, "C-STORE",
            "the VNA has every image; pixel data is byte-identical everywhere", send_on, ("store",),
        ),
        Step(
            "availability", "The order filler learns what there is", ARCHIVE, "RAD-49 IAN N-CREATE",
            "the RIS has every image as available at cardiology's PACS and at the VNA, and misses none",
            availability, ("complete", "archive"),
        ),
        Step(
            "query", "The reader looks for the patient's studies", READING, "RAD-14, RAD-129",
            "cardiology's PACS and the VNA have the study, and answer with this patient's only", query, ("archive",),
        ),
        Step(
            "read", "The reader retrieves the study", READING, "RAD-16, RAD-107",
            "every image is byte-identical to what the scanner acquired", read, ("archive",),
        ),
    ),
)  # fmt: skip
