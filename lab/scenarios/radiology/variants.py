"""Beside the first workflow: other kinds of modality, imported documents, a discontinued step, updates and merges."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.scenarios.model import Step
from lab.scenarios.radiology.acquisition import station
from lab.scenarios.radiology.clinic import (
    CT_HEAD,
    FOLLOWED_WITHIN,
    MR_HEAD,
    US_ABDOMEN,
    Clinic,
    Examination,
    Order,
)
from lab.scenarios.stage import require

if TYPE_CHECKING:
    from lab.scenarios.stage import Stage

WRONG_ENTRY = "110514"
"""DCM code 'Incorrect worklist entry selected' (PS3.16 CID 9301)."""


def performed(stage: Stage, patient: str, order: Order, *, images: int) -> Examination:
    """Order and perform an examination of a few images, to the end of its commitment.

    Raises:
        StepFailure: any part of it did not come out as it should.
    """
    clinic = Clinic(stage)
    done = clinic.order(patient, order)
    answer = clinic.at(done.station, "acquire", done.accession, "--images", str(images), "--wait", str(FOLLOWED_WITHIN))
    require(
        answer["states"]["committed"] == answer["instances"] > 0,
        f"{done.station} has {answer['states']} of {done.accession}, commitment {answer['commitment'] or 'open'}",
    )
    return done


def acting(step: str, order: Order, stage: Stage) -> str:
    """The station that a step's order was scheduled on; before it is, the first one of its kind."""
    first = next(name for name, host in stage.lab.site.hosts.items() if host.modality == order.modality)
    return str(stage.facts.get(f"station of {step}", first))


def other_modality(step: str, order: Order, images: int, stage: Stage) -> str:
    """The whole chain on another kind of modality."""
    clinic = Clinic(stage)
    done = performed(stage, stage.facts["patient"], order, images=images)
    stage.facts[f"station of {step}"] = done.station
    stage.facts.setdefault("others", []).append(done)
    held = clinic.archive(clinic.pacs).instances(done.study)
    kinds = {one["Modality"] for one in held}
    require(kinds == {order.modality}, f"{clinic.pacs} has {len(held)} instances of {kinds}")
    clinic.status_at_ris(done.accession, "completed")
    return f"{done.accession}: {len(held)} {order.modality} images at {clinic.pacs}, committed to {done.station}"


def documents(stage: Stage) -> str:
    """A photograph and a requisition join the examination (RAD-8)."""
    clinic = Clinic(stage)
    done: Examination = stage.facts["examination"]
    archive = clinic.archive(clinic.pacs)
    before = {one["SOPInstanceUID"] for one in archive.instances(done.study)}
    for verb in ("import-jpeg", "import-pdf"):
        clinic.at(done.station, verb, done.accession, "--sample")
    added = [one for one in archive.instances(done.study) if one["SOPInstanceUID"] not in before]
    classes = sorted(one["SOPClassUID"] for one in added)
    wanted = ["1.2.840.10008.5.1.4.1.1.104.1", "1.2.840.10008.5.1.4.1.1.77.1.4"]
    require(classes == wanted, f"{clinic.pacs} has {classes} besides")
    named = {(one["PatientID"], one["AccessionNumber"]) for one in added}
    require(named == {(done.patient, done.accession)}, f"the documents are of {named}")
    return f"{clinic.pacs} has a photograph and an encapsulated PDF of {done.accession}"


def discontinue(stage: Stage) -> str:
    """RAD-7 with status DISCONTINUED."""
    clinic = Clinic(stage)
    done = clinic.order(stage.facts["patient"], CT_HEAD)
    stage.facts["station of discontinue"] = done.station
    clinic.at(done.station, "begin", done.accession)
    clinic.at(done.station, "store", done.accession, "--images", "1")
    clinic.at(done.station, "discontinue", done.accession, "--reason", WRONG_ENTRY)
    clinic.status_at_ris(done.accession, "discontinued")
    clinic.status_at_record(done.placer, "discontinued")
    (step,) = clinic.of_ris(done.accession)["performed_steps"]
    require(WRONG_ENTRY in str(step["reason"]), f"the RIS has the reason {step['reason']}")
    return f"{done.accession} is discontinued at RIS and record, because of {step['reason']}"


def update(stage: Stage) -> str:
    """RAD-12 ADT^A08: a married patient."""
    clinic, patient = Clinic(stage), stage.facts["patient"]
    family = f"Married{stage.token}"
    clinic.stage.ask(clinic.record, ["pacslab-ehr", "update", patient, "--family", family, "--json"])
    return _follow(stage, patient, family)


def _follow(stage: Stage, patient: str, family: str) -> str:
    """Wait until every study of a patient, at every archive, has the new name."""
    clinic = Clinic(stage)
    for host in clinic.archives:
        stage.eventually(
            partial(_all_named, stage, host, patient, family),
            timeout=2 * FOLLOWED_WITHIN,
            otherwise=f"{host} still has studies of {patient} under another name than {family}",
        )
    counts = {host: len(clinic.archive(host).find("Study", PatientID=patient)) for host in clinic.archives}
    return f"{family}: " + ", ".join(f"{count} studies at {host}" for host, count in counts.items())


def _all_named(stage: Stage, host: str, patient: str, family: str) -> bool:
    found = Clinic(stage).archive(host).find("Study", PatientID=patient)
    return bool(found) and all(one["PatientMainDicomTags"]["PatientName"].startswith(family) for one in found)


def merge(stage: Stage) -> str:
    """RAD-12 ADT^A40: a patient who was registered twice."""
    clinic = Clinic(stage)
    prior = clinic.register("Twice")["patient"]["identifier"]
    done = performed(stage, prior, US_ABDOMEN, images=1)
    surviving = stage.facts["patient"]
    for host in clinic.archives:
        stage.eventually(
            partial(clinic.archive(host).find, "Study", PatientID=prior),
            timeout=2 * FOLLOWED_WITHIN,
            otherwise=f"{host} never had the study of {prior}",
        )
    clinic.stage.ask(clinic.record, ["pacslab-ehr", "merge", prior, "--into", surviving, "--json"])
    for host in clinic.archives:
        stage.eventually(
            partial(_moved, stage, host, prior, surviving, done.study),
            timeout=2 * FOLLOWED_WITHIN,
            otherwise=f"{host} still has studies of {prior}, or none of {done.accession} for {surviving}",
        )
    owner = clinic.of_ris(done.accession)["procedure"]["patient_id"]
    require(owner == surviving, f"the RIS has {done.accession} for {owner}")
    return f"{prior} is gone at RIS, {' and '.join(clinic.archives)}; {done.accession} is {surviving}'s"


def _moved(stage: Stage, host: str, prior: str, surviving: str, study: str) -> bool:
    archive = Clinic(stage).archive(host)
    return not archive.find("Study", PatientID=prior) and bool(
        archive.find("Study", PatientID=surviving, StudyInstanceUID=study)
    )


def outage(stage: Stage) -> str:
    """The PACS is away while images are acquired; the scanner delivers afterwards, by itself."""
    clinic = Clinic(stage)
    done = clinic.order(stage.facts["patient"], CT_HEAD)
    stage.facts["station of outage"] = done.station
    images = 4
    unit = stage.lab.site.services(clinic.pacs)["http"].unit
    stopped = stage.run(clinic.pacs, ["systemctl", "stop", unit])
    require(stopped.code == 0, f"{unit} was not stopped: {stopped.stderr.strip()}")
    try:
        argv = ["pacslab-modality", "acquire", done.accession, "--images", str(images), "--wait", "1", "--json"]
        stage.run(done.station, argv, timeout=120)
        states = clinic.queue(done)["totals"]
        require(states["acquired"] == images, f"while {clinic.pacs} is away, {done.station} has {states}")
    finally:
        stage.run(clinic.pacs, ["systemctl", "start", unit])
    stage.eventually(
        lambda: clinic.queue(done)["totals"]["committed"] == images,
        timeout=4 * FOLLOWED_WITHIN,
        otherwise=f"{done.station} did not deliver after the outage: {clinic.queue(done)['totals']}",
    )
    held = clinic.archive(clinic.pacs).instances(done.study)
    require(len(held) == images, f"{clinic.pacs} has {len(held)} of {images} images")
    return f"{images} images waited at {done.station}, and were delivered and committed once {clinic.pacs} was back"


def steps(stage: Stage) -> tuple[Step, ...]:
    """Everything beside the first workflow that acquires or changes images."""
    clinic = Clinic(stage)
    chain = "RAD-5, RAD-6, RAD-8, RAD-7, RAD-10"
    return (
        Step(
            "documents", "A photograph and a PDF requisition join the study", station,
            "RAD-8 C-STORE", ("PR.DS-2", "PR.DS-6"), "the PACS has both under the same order", documents, ("complete",),
        ),
        Step(
            "mr", "The same with MR", partial(acting, "mr", MR_HEAD), chain, ("PR.DS-2",),
            "MR images at the PACS, committed", partial(other_modality, "mr", MR_HEAD, 6), ("register",),
        ),
        Step(
            "us", "The same with ultrasound", partial(acting, "us", US_ABDOMEN), chain, ("PR.DS-2",),
            "ultrasound images at the PACS, committed", partial(other_modality, "us", US_ABDOMEN, 2), ("register",),
        ),
        Step(
            "discontinue", "A procedure is discontinued", partial(acting, "discontinue", CT_HEAD), "RAD-7 MPPS N-SET",
            ("PR.DS-6",), "RIS and record have it discontinued, with the reason", discontinue, ("register",),
        ),
        Step(
            "outage", "The PACS is away during an acquisition", partial(acting, "outage", CT_HEAD), chain,
            ("PR.DS-4", "PR.IP-9"), "images wait at the scanner and are delivered and committed afterwards",
            outage, ("register",),
        ),
        Step(
            "update", "A patient's name changes", clinic.record, "RAD-12 ADT^A08", ("PR.DS-6",),
            "PACS and VNA have every study under the new name", update, ("archive",),
        ),
        Step(
            "merge", "A patient registered twice is merged", clinic.record, "RAD-12 ADT^A40", ("PR.DS-6",),
            "PACS and VNA have the studies of one patient only", merge, ("update",),
        ),
    )  # fmt: skip
