"""What people may not do at the workflow's commands: it is refused, on record with the person's name, to no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab.hospital.hospital import Actor, why
from lab.hospital.ris import COMMAND as RIS
from lab.hospital.ris import Ris
from lab.hospital.sign_on import SERVICE as SIGN_ON
from lab.hospital.signed_in import NOT_SIGNED_IN, holders, reason_of, run_as, sign_in, try_sign_in, who_may
from lab.hospital.workstation import COMMAND as WORKSTATION
from lab.scenarios.examination.course import CT_HEAD, place_order, status_at_record, status_at_ris
from lab.scenarios.examination.people import console, on_record
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.model import Step

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lab.engine.lab import Completed
    from lab.hospital.collected import Mark
    from lab.scenarios.radiology.facts import RadiologyFacts
    from lab.scenarios.stage import Stage

READING, FILLER = Actor("reading"), Actor("order-filler")


def report_by_technologist(stage: Stage[RadiologyFacts]) -> str:
    """Somebody who marks images at the workstation, but reports nowhere, is refused by role."""
    desk, site = console(stage, READING), stage.hospital.site
    person = _last(set(who_may(site, desk, "annotate")) - set(holders(site, "report")), "marks images and reports none")
    return _refused_report(stage, desk, person, "role")


def report_of_another_department(stage: Stage[RadiologyFacts]) -> str:
    """Somebody who reports in another department, which has nothing of the patient, is refused by relation."""
    desk, site = console(stage, READING), stage.hospital.site
    person = _last(set(holders(site, "report")) - set(who_may(site, desk, "report")), "reports in another department")
    return _refused_report(stage, desk, person, "no-relation")


def report_after_signing_out(stage: Stage[RadiologyFacts]) -> str:
    """Whoever has signed out acts no more."""
    desk = console(stage, READING)
    person = _last(who_may(stage.hospital.site, desk, "report"), "reports")
    centre = next(flow.target for flow in stage.hospital.site.flows_out(desk) if flow.service == SIGN_ON)
    sign_in(stage.hospital, desk, WORKSTATION, person)
    ended = stage.hospital.collected.mark(centre)
    left = stage.hospital.run(desk, [WORKSTATION, "sign-out", person, "--json"])
    require(left.code == 0, f"{person} could not sign out: {why(left)}")
    told: dict[str, Any] = {"action": "sign-out", "outcome": "success", "person": person}
    on_record(stage, centre, ended, **told)
    before, mark = _reports(stage), stage.hospital.collected.mark(desk)
    words = [WORKSTATION, "report", stage.facts.examination.accession]
    done = stage.hospital.run(desk, [*words, "--as", person, "--json"])
    said = _refused(stage, done, desk, mark, reason=NOT_SIGNED_IN, program=WORKSTATION, person="", verb="report")
    require(_reports(stage) == before, "there is a report of it")
    return f"{centre} has ended the session of {person}; then: {said}"


def schedule_by_others(stage: Stage[RadiologyFacts]) -> str:
    """Who orders is not let in at the RIS, who does something else there is refused by role; a technologist is not."""
    host, hospital, site = console(stage, FILLER), stage.hospital, stage.hospital.site
    done = place_order(stage, stage.facts.patient, CT_HEAD)
    clinician = _last(
        set(holders(site, "place-order")) - set(holders(site, "schedule")), "orders and schedules nothing"
    )
    mark = hospital.collected.mark(host)
    typed = try_sign_in(hospital, host, RIS, clinician)
    keys = {"program": RIS, "person": clinician}
    told = [_refused(stage, typed, host, mark, reason="role", action="sign-in", **keys)]
    other = _last(
        set(who_may(site, host, "request-rejection")) - set(who_may(site, host, "schedule")), "comes to the RIS"
    )
    mark = hospital.collected.mark(host)
    tried = run_as(hospital, host, [RIS, "cancel", done.accession], other)
    told.append(_refused(stage, tried, host, mark, reason="role", program=RIS, person=other, verb="cancel"))
    status_at_ris(stage, done.accession, "scheduled")
    Ris.of(hospital).cancel(done.accession)
    status_at_record(stage, done.placer, "cancelled")
    return f"{'; '.join(told)}; {done.accession} stayed scheduled until a technologist cancelled it"


def _last(people: Iterable[str], what: str) -> str:
    """The last by name of some people: those who do the work are the first.

    Raises:
        NothingToJudge: there are none.
    """
    found = sorted(people)
    if not found:
        raise NothingToJudge(f"the site has nobody who {what}")
    return found[-1]


def _refused_report(stage: Stage[RadiologyFacts], desk: str, person: str, reason: str) -> str:
    """Have somebody report on the examination, in vain."""
    sign_in(stage.hospital, desk, WORKSTATION, person)
    before, mark = _reports(stage), stage.hospital.collected.mark(desk)
    done = run_as(stage.hospital, desk, [WORKSTATION, "report", stage.facts.examination.accession], person)
    said = _refused(stage, done, desk, mark, reason=reason, program=WORKSTATION, person=person, verb="report")
    require(_reports(stage) == before, f"there is a report of {person}'s")
    return said


def _reports(stage: Stage[RadiologyFacts]) -> int:
    """How many reports of the examination the RIS has."""
    return len(Ris.of(stage.hospital).show(stage.facts.examination.accession).reports)


def _refused(stage: Stage[RadiologyFacts], done: Completed, host: str, mark: Mark, *, reason: str, **keys: str) -> str:
    """A command was refused for this reason, and the collector has the event.

    Raises:
        StepFailure: one of the two is not so.
    """
    require(done.code == 1 and reason_of(done) == reason, f"it ended with {done.code}: {why(done)}")
    known: dict[str, Any] = {name: value for name, value in {"action": "command", **keys}.items() if value}
    on_record(stage, host, mark, outcome="refused", reason=reason, **known)
    return f"{why(done)} ({reason}), and {stage.hospital.collected.centre} has it with {known.get('person', 'nobody')}"


STEPS: tuple[Step[RadiologyFacts], ...] = (
    Step(
        "report-by-technologist", "A technologist tries to report", READING, "RAD-24 C-STORE SR",
        "it is refused by role, the log at the collector names the technologist, and there is no report",
        report_by_technologist, ("report",),
    ),
    Step(
        "report-elsewhere", "A radiologist of another department tries to report", READING, "RAD-24 C-STORE SR",
        "it is refused by relation, the log at the collector names the radiologist, and there is no report",
        report_of_another_department, ("report",),
    ),
    Step(
        "report-signed-out", "A radiologist who has signed out tries to report", READING, "RAD-24 C-STORE SR",
        "it is refused, the log at the collector says that nobody is signed in, and there is no report",
        report_after_signing_out, ("report",),
    ),
    Step(
        "schedule-by-others", "A referring clinician and a radiologist try to schedule", FILLER, "RAD-3, RAD-13",
        "both are refused by role, the log at the collector names them, and a technologist does it",
        schedule_by_others, ("register",),
    ),
)  # fmt: skip
