"""Patients of several modalities are examined, each from registration to report, as on any day."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.hospital.signed_in import person_for
from lab.hospital.workstation import ACTIONS, ROLES
from lab.scenarios.examination import acquisition, ordering, reading
from lab.scenarios.examination.course import (
    CT_HEAD,
    ECHO,
    MR_HEAD,
    US_ABDOMEN,
    Examination,
    ExaminationFacts,
    archives,
    status_at_record,
)
from lab.scenarios.model import Step
from lab.scenarios.monitoring.facts import Done, Examined, MonitoringFacts, detections_of
from lab.scenarios.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.hospital.record import Procedure
    from lab.scenarios.monitoring.facts import Scene
    from lab.topology.site import Site

READING, QUALITY_CONTROL = Actor("reading"), Actor("quality-control")
RECORD, FILLER = Actor("order-placer"), Actor("order-filler")
MARKS = frozenset({reading.GSPS, reading.COLOUR_PS})
ACQUISITION = (
    acquisition.schedule,
    acquisition.worklist,
    acquisition.begin,
    acquisition.store,
    acquisition.complete,
    acquisition.commit,
    acquisition.send_on,
    acquisition.availability,
    reading.query,
    reading.read,
)
"""Of every examination, in their order; each looks at the receiving side."""


def begin(stage: Scene) -> str:
    """The day begins: by the repository's clock, and with every sender connected.

    Raises:
        NothingToJudge: the site keeps no audit messages.
    """
    detections = detections_of(stage)
    stage.acts(detections.host)
    senders = {flow.source for flow in stage.hospital.site.flows_to("log-collection")} & _audited(stage.hospital.site)
    heard = {str(entry["host"]) for entry in detections.repository.lines("senders")}
    missing = sorted(senders - heard)
    if missing:
        stage.eventually(
            lambda: senders <= {str(entry["host"]) for entry in detections.repository.lines("senders")},
            timeout=60,
            otherwise=f"{detections.host} has heard nothing of {', '.join(missing)}",
        )
    stage.facts.began = detections.now()
    return f"{detections.host} has heard of {len(senders)} senders; the day begins at {stage.facts.began:%H:%M:%S} UTC"


def _audited(site: Site) -> set[str]:
    return {name for name, host in site.managed.items() if "audit_source" in host.roles}


def examine(procedure: Procedure, stage: Scene) -> str:
    """One patient from registration to the report, with all that each system has to have on record of it."""
    course: Stage[ExaminationFacts] = Stage(
        stage.hospital, ExaminationFacts(), token=f"{stage.token}{procedure.section}"
    )
    ordering.register(course)
    ordering.order(procedure, course)
    for act in ACQUISITION:
        act(course)
    done, site = course.facts.examination, stage.hospital.site
    stage.acts(done.station)
    about = set(_acquired(stage, done))
    if done.archive in _stored_in(site, READING):
        for actor, verb in _marked(site, done.archive):
            reading.annotate(actor.function, MARKS, course)
            about.add(_at_desk(stage, actor, verb, "store"))
        reading.report(course)
        about.add(_at_desk(stage, READING, "report", "store"))
        about.add(_at_desk(stage, READING, "report", "report"))
        status_at_record(course, done.placer, "completed")
        about.add(Done(stage.hospital.host(FILLER), "report"))
    record = stage.hospital.host(RECORD)
    orderer = person_for(site, record, "place-order")
    stage.facts.examinations.append(Examined(done, orderer, site.hosts[done.station].asset.owner))
    stage.facts.about[done.accession] = about
    return f"{done.accession}: {procedure.text} of {done.patient} on {done.station}; {len(about)} actions to be found"


def _acquired(stage: Scene, done: Examination) -> Iterator[Done]:
    """What order, acquisition and archiving leave at each system."""
    hospital, site = stage.hospital, stage.hospital.site
    record, filler = hospital.host(RECORD), hospital.host(FILLER)
    yield Done(record, "order", person_for(site, record, "place-order"))
    yield Done(record, "order-status")
    for action in ("schedule", "begin-step", "update-step"):
        yield Done(filler, action)
    for action in ("begin-step", "acquire", "store", "update-step"):
        yield Done(done.station, action)
    everywhere = archives(hospital, done)
    for host in everywhere:
        yield Done(host, "schedule")
        yield Done(host, "receive-images")
    if len(everywhere) > 1:
        yield Done(done.archive, "forward")
    yield Done(hospital.host(READING), "retrieve")


def _marked(site: Site, archive: str) -> Iterator[tuple[Actor, str]]:
    """Who marks images at a workstation that adds to an archive."""
    for actor in (QUALITY_CONTROL, READING):
        if archive in _stored_in(site, actor):
            yield actor, "annotate"


def _stored_in(site: Site, desk: Actor) -> set[str]:
    """The archives that a workstation adds to."""
    hosts = desk.hosts(site)
    return {flow.target for flow in site.flows_out(hosts[0]) if "C-STORE" in flow.permits} if hosts else set()


def _at_desk(stage: Scene, actor: Actor, verb: str, action: str) -> Done:
    """What somebody did at a workstation, with the person who does it in the lab's scenarios."""
    host = stage.hospital.host(actor)
    return Done(host, action, person_for(stage.hospital.site, host, ACTIONS[verb], ROLES.get(actor.function, "")))


def _step(name: str, procedure: Procedure, by: Actor) -> Step[MonitoringFacts]:
    return Step(
        name,
        f"A patient comes for {procedure.text}",
        by,
        "RAD-1 to RAD-28",
        "ordered, acquired, committed, archived and read; where people add to the archive, marked and reported",
        partial(examine, procedure),
        ("begin",),
    )


STEPS: tuple[Step[MonitoringFacts], ...] = (
    Step(
        "begin",
        "The day begins",
        RECORD,
        "ITI-20",
        "the repository has heard of every host that sends audit messages",
        begin,
    ),
    _step("ct", CT_HEAD, Actor("acquisition", "CT")),
    _step("mr", MR_HEAD, Actor("acquisition", "MR")),
    _step("us", US_ABDOMEN, Actor("acquisition", "US")),
    _step("echo", ECHO, Actor("echocardiography")),
)
