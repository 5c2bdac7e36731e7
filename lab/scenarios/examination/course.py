"""One examination on its way through the hospital, and what each system has of it by when."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.hospital.archive import Archive
from lab.hospital.hospital import Actor
from lab.hospital.image_manager import procedures
from lab.hospital.modality import Modality
from lab.hospital.record import Procedure, Record
from lab.hospital.ris import Ris
from lab.scenarios.failure import StepFailure

if TYPE_CHECKING:
    from lab.hospital.collected import Mark
    from lab.hospital.hospital import Hospital
    from lab.hospital.ris import Requested
    from lab.scenarios.stage import Stage

FOLLOWED_WITHIN = 30
"""Seconds in which other systems have to follow what one of them was told."""
IMAGES = 12
"""How many images the first examination of a scenario has."""

CT_HEAD = Procedure("CTHEAD", "CT head without contrast", "CT")
MR_HEAD = Procedure("MRHEAD", "MR head", "MR")
US_ABDOMEN = Procedure("USABD", "Ultrasound of the abdomen", "US")
ECHO = Procedure("ECHO", "Transthoracic echocardiogram", "CUS")


@dataclass(frozen=True)
class Examination:
    """One order on its way: who, under which numbers, on which station, and the archive that it sends to."""

    patient: str
    placer: str
    accession: str
    study: str
    station: str
    archive: str


@dataclass(repr=False)
class ExaminationFacts:
    """What the steps of an examination leave for later ones.

    Each fact is there once the step that finds it out has passed; asking for it earlier is an error.

    Attributes:
        patient: Identifier of the patient who was registered.
        examination: The order, once it is scheduled.
        mpps: SOP Instance UID of the performed procedure step, once it has begun.
        digests: SHA-256 of the pixel data as acquired, by SOP Instance UID, once it is stored.
    """

    patient: str = field(init=False)
    examination: Examination = field(init=False)
    mpps: str = field(init=False)
    digests: dict[str, str] = field(init=False)


def place_order(stage: Stage[object], patient: str, procedure: Procedure) -> Examination:
    """Place an order at the record; it has to be scheduled on a station of the site.

    An order that the RIS schedules on a foreign device is left to that, and another is placed.

    Raises:
        StepFailure: it was not scheduled, or on no station of the site, or on devices alone.
    """
    site = stage.hospital.site
    for _ in range(len(site.hosts) - len(site.managed) + 1):
        placed = Record.of(stage.hospital).order(patient, procedure)
        if placed.accession is None:
            raise StepFailure(f"the record has {placed.placer} as {placed.status}, under no accession number")
        found = scheduled(stage.hospital, Ris.of(stage.hospital).show(placed.accession).procedure)
        if found.station in site.managed:
            return found
    raise StepFailure(f"the order was scheduled on {found.station}, a device, which nobody here works at")


def scheduled(hospital: Hospital, procedure: Requested) -> Examination:
    """The examination that a requested procedure has become.

    Raises:
        StepFailure: it was scheduled on no station of the site.
    """
    title = Ris.of(hospital).show(procedure.accession).steps[0].station_ae
    station = hospital.named(title)
    if station is None:
        raise StepFailure(f"the order was scheduled on {title}, which is no host of the site")
    return Examination(
        patient=procedure.patient_id,
        placer=procedure.placer,
        accession=procedure.accession,
        study=procedure.study_uid,
        station=station,
        archive=hospital.archive_of(station),
    )


def archives(hospital: Hospital, done: Examination) -> list[str]:
    """The archives that have to have an examination: the station's own, and the long-term archive if there is one."""
    return [done.archive, *Actor("long-term-archive").hosts(hospital.site)]


def archive(stage: Stage[object], host: str) -> Archive:
    """What an archive holds."""
    return Archive(stage.hospital, host)


def station(stage: Stage[object], done: Examination) -> Modality:
    """The station of an examination; it is the host that acts."""
    stage.acts(done.station)
    return Modality(stage.hospital, done.station)


def status_at_ris(stage: Stage[object], accession: str, wanted: str) -> None:
    """Wait until the RIS has a procedure in a status.

    Raises:
        StepFailure: it has not, in time.
    """
    ris = Ris.of(stage.hospital)
    stage.eventually(
        lambda: ris.show(accession).procedure.status == wanted,
        timeout=FOLLOWED_WITHIN,
        otherwise=f"the RIS does not have {accession} as {wanted}",
    )


def status_at_record(stage: Stage[object], placer: str, wanted: str) -> None:
    """Wait until the record has an order in a status.

    Raises:
        StepFailure: it has not, in time.
    """
    record = Record.of(stage.hospital)
    stage.eventually(
        lambda: record.show(placer).order.status == wanted,
        timeout=FOLLOWED_WITHIN,
        otherwise=f"the record does not have {placer} as {wanted}",
    )


def knows_procedure(stage: Stage[object], host: str, done: Examination) -> str:
    """Tell in which state an archive's image manager keeps the procedure of an order.

    Raises:
        StepFailure: it does not, or for another patient or study.
    """
    kept = next((row for row in procedures(stage.hospital, host) if row.accession == done.accession), None)
    if kept is None or (kept.patient, kept.study_uid) != (done.patient, done.study):
        raise StepFailure(f"{host} keeps {kept or 'nothing'} for {done.accession}")
    return kept.state


def received(stage: Stage[object], host: str, mark: Mark, control_id: str) -> str:
    """Wait until a host's log at the collector says that it received a message.

    Raises:
        StepFailure: it does not, in time.
    """
    collected = stage.hospital.collected
    line = collected.wait(
        host,
        mark,
        timeout=FOLLOWED_WITHIN,
        action="receive",
        outcome="success",
        control_id=control_id,
    )
    if line is None:
        raise StepFailure(f"no line at {collected.centre} that {host} received message {control_id}")
    return f"{host} logged message {control_id} as received"
