"""First workflow: a patient is registered, an image is ordered, scheduled, acquired, stored, committed and archived."""

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
from lab.scenarios.examination.course import CT_HEAD
from lab.scenarios.examination.ordering import order, register
from lab.scenarios.model import Step

if TYPE_CHECKING:
    from lab.scenarios.examination.course import ExaminationFacts

RECORD, RIS, ARCHIVE = Actor("order-placer"), Actor("order-filler"), Actor("primary-archive")
SCANNER = Actor("acquisition", CT_HEAD.section)


STEPS: tuple[Step[ExaminationFacts], ...] = (
    Step(
        "register", "Register a patient", RECORD, "RAD-1 ADT^A04",
        "the RIS takes the message and logs it", register,
    ),
    Step(
        "order", "Order a CT of the head", RECORD, "RAD-2, RAD-3 ORM^O01",
        "the RIS schedules it under an accession number, and the record learns it",
        partial(order, CT_HEAD), ("register",),
    ),
    Step(
        "schedule", "The archives learn of the procedure", RIS, "RAD-4 ORM^O01",
        "every archive acknowledges and keeps the procedure", schedule, ("order",),
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
        "archive", "The PACS archives to the VNA", ARCHIVE, "C-STORE",
        "the VNA has every image; pixel data is byte-identical everywhere", send_on, ("store",),
    ),
    Step(
        "availability", "The order filler learns what there is", ARCHIVE, "RAD-49 IAN N-CREATE",
        "the RIS has every image as available at PACS and VNA, and misses none", availability, ("complete", "archive"),
    ),
)  # fmt: skip
