"""From a scheduled procedure to images that the archive has answered for; the same wherever images are acquired."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.ris import Ris
from lab.scenarios.examination.course import (
    FOLLOWED_WITHIN,
    IMAGES,
    archive,
    archives,
    knows_procedure,
    station,
    status_at_record,
    status_at_ris,
)
from lab.scenarios.failure import StepFailure, require

if TYPE_CHECKING:
    from lab.scenarios.examination.course import ExaminationFacts
    from lab.scenarios.stage import Stage


def schedule(stage: Stage[ExaminationFacts]) -> str:
    """Every archive of the examination acknowledges the scheduled procedure (RAD-4), and keeps it."""
    done = stage.facts.examination
    ris, wanted = Ris.of(stage.hospital), set(archives(stage.hospital, done))

    def told() -> set[str]:
        return {
            message.peer
            for message in ris.show(done.accession).messages
            if (message.direction, message.type, message.state) == ("out", "ORM^O01", "delivered")
        }

    stage.eventually(
        lambda: wanted <= told(),
        timeout=FOLLOWED_WITHIN,
        otherwise=f"not every archive acknowledged the procedure: {', '.join(sorted(told())) or 'none'}",
    )
    return "; ".join(f"{host} keeps procedure {knows_procedure(stage, host, done)}" for host in sorted(wanted))


def worklist(stage: Stage[ExaminationFacts]) -> str:
    """The station is shown the patient's step, and none of another station (RAD-5)."""
    done = stage.facts.examination
    items = station(stage, done).worklist()
    title = stage.hospital.described(done.station).ae_title
    others = [item for item in items if item.station != title]
    require(not others, f"{len(others)} steps of other stations: {others[:2]}")
    mine = [item for item in items if item.accession == done.accession]
    require(len(mine) == 1, f"{len(mine)} steps of {done.accession} among {len(items)}")
    require(mine[0].patient_id == done.patient, f"the step is for patient {mine[0].patient_id}")
    return f"{len(items)} steps, all of {title}; {done.accession} for {done.patient} among them"


def begin(stage: Stage[ExaminationFacts]) -> str:
    """RIS, and record where there is one, have the step in progress (RAD-6)."""
    done = stage.facts.examination
    step = station(stage, done).perform("begin", done.accession)
    status_at_ris(stage, done.accession, "in progress")
    performed = Ris.of(stage.hospital).show(done.accession).performed_steps
    require(
        [(procedure.sop_instance_uid, procedure.status) for procedure in performed] == [(step.uid, "IN PROGRESS")],
        f"the RIS has {performed}",
    )
    stage.facts.mpps = step.uid
    if not stage.hospital.site.with_function("order-placer"):
        return f"the RIS has {done.accession} in progress, as step {step.uid}"
    status_at_record(stage, done.placer, "in progress")
    return f"RIS and record have {done.accession} in progress, as step {step.uid}"


def store(stage: Stage[ExaminationFacts]) -> str:
    """The archive has every image in the scheduled study, under patient and accession number (RAD-8)."""
    done = stage.facts.examination
    modality = station(stage, done)
    step = modality.perform("store", done.accession, "--images", str(IMAGES))
    require(step.states.stored == IMAGES, f"the station has {step.states}")
    digests = modality.digests(done.accession)
    require(len(digests) == IMAGES, f"{len(digests)} images in the station's spool")
    stage.facts.digests = digests
    held = archive(stage, done.archive).instances(done.study)
    named = {(instance.tag("PatientID"), instance.tag("AccessionNumber")) for instance in held}
    require(
        {instance.tag("SOPInstanceUID") for instance in held} == set(digests)
        and named == {(done.patient, done.accession)},
        f"{done.archive} has {len(held)} instances of {named}",
    )
    return f"{done.archive} has {len(held)} images of {done.patient}, {done.accession}, in the scheduled study"


def complete(stage: Stage[ExaminationFacts]) -> str:
    """The RIS lists the series and images that the archive has (RAD-7)."""
    done = stage.facts.examination
    station(stage, done).perform("complete", done.accession)
    status_at_ris(stage, done.accession, "completed")
    performed = Ris.of(stage.hospital).show(done.accession).performed_steps
    if len(performed) != 1:
        raise StepFailure(f"the RIS has {len(performed)} performed steps")
    series = {
        match.tag("SeriesInstanceUID")
        for match in archive(stage, done.archive).find("Series", StudyInstanceUID=done.study)
    }
    ended = performed[0]
    require(
        (ended.status, ended.images, {series_entry.series_uid for series_entry in ended.series})
        == ("COMPLETED", IMAGES, series),
        f"the RIS has {ended.status} with {ended.images} images in {ended.series}",
    )
    return f"the RIS has {ended.images} images completed, in the series that {done.archive} has"


def commit(stage: Stage[ExaminationFacts]) -> str:
    """Local copies are deleted only once the archive has answered for them (RAD-10)."""
    done = stage.facts.examination
    modality = station(stage, done)
    kept = len(modality.digests(done.accession))
    require(kept == IMAGES, f"{kept} of {IMAGES} local copies before the archive has answered for them")
    answer = modality.perform("commit", done.accession, "--wait", str(FOLLOWED_WITHIN))
    require(answer.commitment == "committed", f"the commitment is {answer.commitment or 'not answered'}")
    require(answer.states.committed == IMAGES, f"the station has {answer.states}")
    left = len(modality.digests(done.accession))
    require(left == 0, f"{left} local copies after the archive has answered for them")
    return f"{IMAGES} local copies until {done.archive} had answered for them, none after"


def availability(stage: Stage[ExaminationFacts]) -> str:
    """The RIS has every image as available at every archive of the examination, and misses none (RAD-49)."""
    done, hospital = stage.facts.examination, stage.hospital
    stage.acts(done.archive)
    ris = Ris.of(hospital)
    wanted = {str(hospital.described(host).ae_title): (IMAGES, 0) for host in archives(hospital, done)}

    def told() -> bool:
        known = ris.show(done.accession).availability
        return {entry.ae_title: (entry.instances, entry.unavailable) for entry in known} == wanted

    stage.eventually(
        told,
        timeout=FOLLOWED_WITHIN,
        otherwise=f"the RIS was not told that {' and '.join(wanted)} have {done.accession}",
    )
    missing = ris.show(done.accession).missing
    require(not missing, f"the RIS misses {len(missing)} images that were performed")
    keys = {"action": "notify-availability", "outcome": "success", "accession": done.accession}
    stage.eventually(
        lambda: hospital.collected.has_event(ris.host, **keys),
        timeout=FOLLOWED_WITHIN,
        otherwise=f"{hospital.collected.centre} has no event of {ris.host} with {keys}",
    )
    return f"the RIS has {IMAGES} images of {done.accession} available at {' and '.join(wanted)}, and misses none"


def send_on(stage: Stage[ExaminationFacts]) -> str:
    """The long-term archive has every image, and pixel data is as acquired everywhere."""
    done = stage.facts.examination
    stage.acts(done.archive)
    kept_by = stage.hospital.host("long-term-archive")
    stage.eventually(
        lambda: len(archive(stage, kept_by).instances(done.study)) == IMAGES,
        timeout=2 * FOLLOWED_WITHIN,
        otherwise=f"{kept_by} does not have all images of {done.accession}",
    )
    everywhere = archives(stage.hospital, done)
    for host in everywhere:
        same = archive(stage, host).pixels(done.study) == stage.facts.digests
        require(same, f"pixel data at {host} is not what the station acquired")
    return f"{kept_by} has all {IMAGES} images; pixel data at {' and '.join(everywhere)} is as acquired"
