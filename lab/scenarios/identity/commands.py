"""Everybody at the commands of record, RIS and workstation: each action once for each examination."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.hospital import Actor
from lab.hospital.record import COMMAND as RECORD_COMMAND
from lab.hospital.record import SCHEDULED_WITHIN, Record
from lab.hospital.ris import COMMAND as RIS_COMMAND
from lab.hospital.workstation import COMMAND as WORKSTATION_COMMAND
from lab.scenarios.examination.course import place_order, status_at_ris
from lab.scenarios.examination.people import console
from lab.scenarios.identity.examinations import PROCEDURES
from lab.scenarios.identity.facts import Case, different_people, may
from lab.scenarios.identity.tries import Desk, Tally

if TYPE_CHECKING:
    from lab.scenarios.identity.tries import Scene

RECORD, FILLER, READING = Actor("order-placer"), Actor("order-filler"), Actor("reading")
SOMEBODY = ["--family", "Tried", "--given", "Matrix", "--birth-date", "19700412", "--sex", "F"]


def at_the_record(stage: Scene) -> str:
    """Everybody registers, orders and reads reports, or is refused."""
    tried, tally, site = Desk(stage, "ehr", console(stage, RECORD), RECORD_COMMAND), Tally(), stage.hospital.site
    for person in different_people(site):
        if not tried.enter(person, tally):
            continue
        case = stage.facts.cases[0]
        tried.attempt(person, ["register", *SOMEBODY], allowed=may(site, person, "register-patient", case), tally=tally)
        ordering = may(site, person, "place-order", case)
        what = ["--code", PROCEDURES[0].code, "--text", PROCEDURES[0].text, "--modality", PROCEDURES[0].section]
        what += ["--wait", str(SCHEDULED_WITHIN)]
        answer = tried.attempt(person, ["order", case.done.patient, *what], allowed=ordering, tally=tally)
        if ordering:
            tried.attempt(person, ["cancel", answer["order"]["placer"]], allowed=True, tally=tally)
        for own in stage.facts.cases:
            reading = may(site, person, "read-report", own)
            tried.attempt(person, ["results", "--placer", own.done.placer], allowed=reading, tally=tally)
    return str(tally)


def at_the_ris(stage: Scene) -> str:
    """Everybody cancels a procedure, or is refused; whoever is refused comes first, so that there is one to cancel."""
    tried, tally, site = Desk(stage, "ris", console(stage, FILLER), RIS_COMMAND), Tally(), stage.hospital.site
    standing = [
        Case(place_order(stage, case.done.patient, procedure), case.orderer, case.department)
        for case, procedure in zip(stage.facts.cases, PROCEDURES, strict=True)
    ]
    inside = [person for person in different_people(site) if tried.enter(person, tally)]
    for case in standing:
        words, left = ["cancel", case.done.accession], "scheduled"
        for person in sorted(inside, key=lambda name: may(site, name, "schedule", case)):
            allowed = may(site, person, "schedule", case)
            if allowed and left == "cancelled":
                break
            tried.attempt(person, words, allowed=allowed, tally=tally)
            left = "cancelled" if allowed else left
            status_at_ris(stage, case.done.accession, left)
        if left == "scheduled":
            Record.of(stage.hospital).cancel(case.done.placer)
    return str(tally)


def at_the_workstation(stage: Scene) -> str:
    """Everybody marks images and reports, or is refused, where the workstation adds to an archive."""
    tried, tally, site = (
        Desk(stage, "workstation", console(stage, READING), WORKSTATION_COMMAND),
        Tally(),
        stage.hospital.site,
    )
    inside = [person for person in different_people(site) if tried.enter(person, tally)]
    stores = {flow.target for flow in site.flows_out(tried.host) if "C-STORE" in flow.permits}
    for action in ("annotate", "report"):
        for case in (own for own in stage.facts.cases if own.done.archive in stores):
            for person in sorted(inside, key=lambda name: may(site, name, action, case)):
                allowed = may(site, person, action, case)
                words = [action, case.done.accession, "--archive", case.done.archive]
                tried.attempt(person, words, allowed=allowed, tally=tally)
    return str(tally)
