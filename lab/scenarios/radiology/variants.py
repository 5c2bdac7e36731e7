"""Beside the first workflow: other kinds of modality, imported documents, a discontinued step, updates and merges."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.hospital.image_manager import held, procedures
from lab.hospital.record import Procedure, Record
from lab.hospital.ris import Ris
from lab.scenarios.examination.course import (
    CT_HEAD,
    FOLLOWED_WITHIN,
    MR_HEAD,
    US_ABDOMEN,
    Examination,
    archive,
    archives,
    place_order,
    station,
    status_at_record,
    status_at_ris,
)
from lab.scenarios.failure import StepFailure, require
from lab.scenarios.model import Step

if TYPE_CHECKING:
    from lab.scenarios.radiology.facts import RadiologyFacts
    from lab.scenarios.stage import Stage

RECORD = Actor("order-placer")
CT, MR, US = (Actor("acquisition", procedure.section) for procedure in (CT_HEAD, MR_HEAD, US_ABDOMEN))
WRONG_ENTRY = "110514"
"""DCM code 'Incorrect worklist entry selected' (PS3.16 CID 9301)."""
OUTAGE_IMAGES = 4
DOCUMENTS = ["1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.77.1.4"]
"""Encapsulated PDF, and VL Photographic Image."""


def performed(stage: Stage[object], patient: str, procedure: Procedure, *, images: int) -> Examination:
    """Order and perform an examination of a few images, to the end of its commitment.

    Raises:
        StepFailure: any part of it did not come out as it should.
    """
    done = place_order(stage, patient, procedure)
    words = ("--images", str(images), "--wait", str(FOLLOWED_WITHIN))
    answer = station(stage, done).perform("acquire", done.accession, *words)
    require(
        answer.states.committed == answer.instances > 0,
        f"{done.station} has {answer.states} of {done.accession}, commitment {answer.commitment or 'open'}",
    )
    return done


def other_modality(procedure: Procedure, images: int, stage: Stage[RadiologyFacts]) -> str:
    """The whole chain on another kind of modality."""
    done = performed(stage, stage.facts.patient, procedure, images=images)
    stage.facts.others.append(done)
    held = archive(stage, done.archive).instances(done.study)
    kinds = {instance.tag("Modality") for instance in held}
    require(kinds == {procedure.section}, f"{done.archive} has {len(held)} instances of {kinds}")
    status_at_ris(stage, done.accession, "completed")
    return f"{done.accession}: {len(held)} {procedure.section} images at {done.archive}, committed to {done.station}"


def documents(stage: Stage[RadiologyFacts]) -> str:
    """A photograph and a requisition join the examination (RAD-8)."""
    done = stage.facts.examination
    held = archive(stage, done.archive)
    before = {instance.tag("SOPInstanceUID") for instance in held.instances(done.study)}
    for verb in ("import-jpeg", "import-pdf"):
        station(stage, done).perform(verb, done.accession, "--sample")
    added = [instance for instance in held.instances(done.study) if instance.tag("SOPInstanceUID") not in before]
    classes = sorted(instance.tag("SOPClassUID") for instance in added)
    require(classes == DOCUMENTS, f"{done.archive} has {classes} besides")
    named = {(instance.tag("PatientID"), instance.tag("AccessionNumber")) for instance in added}
    require(named == {(done.patient, done.accession)}, f"the documents are of {named}")
    return f"{done.archive} has a photograph and an encapsulated PDF of {done.accession}"


def discontinue(stage: Stage[RadiologyFacts]) -> str:
    """RIS and record have the step discontinued, with the reason (RAD-7); its images are held (RAD-13, RAD-49)."""
    done = place_order(stage, stage.facts.patient, CT_HEAD)
    scanner = station(stage, done)
    scanner.perform("begin", done.accession)
    scanner.perform("store", done.accession, "--images", "1")
    scanner.perform("discontinue", done.accession, "--reason", WRONG_ENTRY)
    status_at_ris(stage, done.accession, "discontinued")
    status_at_record(stage, done.placer, "discontinued")
    steps = Ris.of(stage.hospital).show(done.accession).performed_steps
    if len(steps) != 1:
        raise StepFailure(f"the RIS has {len(steps)} performed steps")
    require(WRONG_ENTRY in (steps[0].reason or ""), f"the RIS has the reason {steps[0].reason}")
    reason = stage.eventually(
        partial(_withdrawn, stage, done),
        timeout=FOLLOWED_WITHIN,
        otherwise=f"{done.archive} still has images of {done.accession}, or holds none of them",
    )
    title = stage.hospital.described(done.archive).ae_title
    stage.eventually(
        lambda: (
            [
                (entry.instances, entry.unavailable)
                for entry in Ris.of(stage.hospital).show(done.accession).availability
                if entry.ae_title == title
            ]
            == [(0, 1)]
        ),
        timeout=FOLLOWED_WITHIN,
        otherwise=f"the RIS was not told that {done.archive} has no image of {done.accession} any more",
    )
    return (
        f"{done.accession} is discontinued at RIS and record, because of {steps[0].reason};"
        f" its image is held ({reason}), and unavailable as the RIS knows"
    )


def change_order(stage: Stage[RadiologyFacts]) -> str:
    """An order is changed before it begins, and then cancelled: everybody follows (RAD-2, RAD-13, RAD-3)."""
    done = place_order(stage, stage.facts.patient, CT_HEAD)
    record, scanner = Record.of(stage.hospital), station(stage, done)
    stage.acts(record.host)
    record.change(done.placer, CT_NECK)
    stage.eventually(
        lambda: record.show(done.placer).order.code == CT_NECK.code,
        timeout=FOLLOWED_WITHIN,
        otherwise=f"the record never learned that {done.placer} was changed",
    )
    shown = [item.description for item in scanner.worklist() if item.accession == done.accession]
    require(shown == [CT_NECK.text], f"the worklist of {done.station} has {done.accession} as {shown}")
    everywhere = archives(stage.hospital, done)
    for host in everywhere:
        stage.eventually(
            partial(_keeps, stage, host, done, CT_NECK.text, "scheduled"),
            timeout=FOLLOWED_WITHIN,
            otherwise=f"{host} does not expect {CT_NECK.text} under {done.accession}",
        )
    record.cancel(done.placer)
    status_at_ris(stage, done.accession, "cancelled")
    for host in everywhere:
        stage.eventually(
            partial(_keeps, stage, host, done, CT_NECK.text, "cancelled"),
            timeout=FOLLOWED_WITHIN,
            otherwise=f"{host} still expects {done.accession}",
        )
    left = [item.accession for item in scanner.worklist() if item.accession == done.accession]
    require(not left, f"{done.accession} is still on the worklist of {done.station}")
    where = " and ".join([done.station, *everywhere])
    return f"{done.accession} became {CT_NECK.text} at the record and {where}, and then nothing"


def _keeps(stage: Stage[object], host: str, done: Examination, text: str, state: str) -> bool:
    """Whether an archive's image manager keeps the procedure of an order with a text, in a state."""
    kept = next((row for row in procedures(stage.hospital, host) if row.accession == done.accession), None)
    return kept is not None and (kept.description, kept.state) == (text, state)


def _withdrawn(stage: Stage[RadiologyFacts], done: Examination) -> str:
    """Why the archive holds the images of a study; empty while anybody who reads finds one of them."""
    reasons = {entry.reason for entry in held(stage.hospital, done.archive) if entry.study == done.study}
    return "" if archive(stage, done.archive).instances(done.study) else ", ".join(sorted(reasons))


def update(stage: Stage[RadiologyFacts]) -> str:
    """Every archive has every study of a married patient under the new name (RAD-12 ADT^A08)."""
    patient, family = stage.facts.patient, f"Married{stage.token}"
    Record.of(stage.hospital).update(patient, family=family)
    counts = {}
    for host in archives(stage.hospital, stage.facts.examination):
        studies = stage.eventually(
            partial(_all_named, stage, host, patient, family),
            timeout=2 * FOLLOWED_WITHIN,
            otherwise=f"{host} still has studies of {patient} under another name than {family}",
        )
        counts[host] = studies
    return f"{family}: " + ", ".join(f"{count} studies at {host}" for host, count in counts.items())


def _all_named(stage: Stage[object], host: str, patient: str, family: str) -> int:
    """How many studies a patient has at an archive; 0 while one of them has another name."""
    found = archive(stage, host).find("Study", PatientID=patient)
    named = all(match.tag("PatientName").startswith(family) for match in found)
    return len(found) if named else 0


def merge(stage: Stage[RadiologyFacts]) -> str:
    """Every archive has the studies of a patient who was registered twice under one identifier (RAD-12 ADT^A40)."""
    record = Record.of(stage.hospital)
    prior = record.register(f"Test{stage.token}", "Twice").patient.identifier
    done = performed(stage, prior, US_ABDOMEN, images=1)
    stage.acts(record.host)
    surviving = stage.facts.patient
    everywhere = archives(stage.hospital, done)
    for host in everywhere:
        stage.eventually(
            partial(archive(stage, host).find, "Study", PatientID=prior),
            timeout=2 * FOLLOWED_WITHIN,
            otherwise=f"{host} never had the study of {prior}",
        )
    record.merge(prior, into=surviving)
    for host in everywhere:
        stage.eventually(
            partial(_moved, stage, host, prior, surviving, done.study),
            timeout=2 * FOLLOWED_WITHIN,
            otherwise=f"{host} still has studies of {prior}, or none of {done.accession} for {surviving}",
        )
    owner = Ris.of(stage.hospital).show(done.accession).procedure.patient_id
    require(owner == surviving, f"the RIS has {done.accession} for {owner}")
    return f"{prior} is gone at RIS, {' and '.join(everywhere)}; {done.accession} is {surviving}'s"


def _moved(stage: Stage[object], host: str, prior: str, surviving: str, study: str) -> bool:
    held = archive(stage, host)
    return not held.find("Study", PatientID=prior) and bool(
        held.find("Study", PatientID=surviving, StudyInstanceUID=study)
    )


def outage(stage: Stage[RadiologyFacts]) -> str:
    """The archive is away while images are acquired; the scanner delivers them afterwards by itself."""
    done = place_order(stage, stage.facts.patient, CT_HEAD)
    scanner, hospital = station(stage, done), stage.hospital
    unit = hospital.site.services(done.archive)["http"].unit
    stopped = hospital.run(done.archive, ["systemctl", "stop", unit])
    require(stopped.code == 0, f"{unit} was not stopped: {stopped.stderr.strip()}")
    try:
        scanner.acquire_undelivered(done.accession, images=OUTAGE_IMAGES)
        states = scanner.queue(done.accession).totals
        require(states.acquired == OUTAGE_IMAGES, f"while {done.archive} is away, {done.station} has {states}")
    finally:
        hospital.run(done.archive, ["systemctl", "start", unit])
    stage.eventually(
        lambda: scanner.queue(done.accession).totals.committed == OUTAGE_IMAGES,
        timeout=4 * FOLLOWED_WITHIN,
        otherwise=f"{done.station} did not deliver after the outage: {scanner.queue(done.accession).totals}",
    )
    held = archive(stage, done.archive).instances(done.study)
    require(len(held) == OUTAGE_IMAGES, f"{done.archive} has {len(held)} of {OUTAGE_IMAGES} images")
    return f"{OUTAGE_IMAGES} images waited at {done.station}, delivered and committed once {done.archive} was back"


CT_NECK = Procedure("CTNECK", "CT neck with contrast", CT_HEAD.section)
CHAIN = "RAD-5, RAD-6, RAD-8, RAD-7, RAD-10"
STEPS: tuple[Step[RadiologyFacts], ...] = (
    Step(
        "documents", "A photograph and a PDF requisition join the study", CT, "RAD-8 C-STORE",
        "the PACS has both under the same order", documents, ("complete",),
    ),
    Step(
        "mr", "The same with MR", MR, CHAIN, "MR images at the PACS, committed",
        partial(other_modality, MR_HEAD, 6), ("register",),
    ),
    Step(
        "us", "The same with ultrasound", US, CHAIN, "ultrasound images at the PACS, committed",
        partial(other_modality, US_ABDOMEN, 2), ("register",),
    ),
    Step(
        "discontinue", "A procedure is discontinued", CT, "RAD-7 MPPS N-SET",
        "RIS and record have it discontinued, with the reason; the PACS holds its images in quarantine and tells so",
        discontinue, ("register",),
    ),
    Step(
        "change-order", "An order is changed, and then cancelled", RECORD, "RAD-2 and RAD-13 ORM^O01 XO and CA, RAD-3",
        "record, worklist and archives have what it asks for by now, and then nothing", change_order, ("register",),
    ),
    Step(
        "outage", "The PACS is away during an acquisition", CT, CHAIN,
        "images wait at the scanner and are delivered and committed afterwards", outage, ("register",),
    ),
    Step(
        "update", "A patient's name changes", RECORD, "RAD-12 ADT^A08",
        "PACS and VNA have every study under the new name", update, ("archive",),
    ),
    Step(
        "merge", "A patient registered twice is merged", RECORD, "RAD-12 ADT^A40",
        "PACS and VNA have the studies of one patient only", merge, ("update",),
    ),
)  # fmt: skip
