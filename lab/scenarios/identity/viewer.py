"""Everybody in the browser: who is let in, what each one finds and sees, emergencies, and how a session ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.access.policy import load_policy
from lab.hospital.directory import Directory
from lab.hospital.hospital import why
from lab.scenarios.examination.people import on_record, viewer_of
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.identity.facts import actions_at, different_people, may
from lab.scenarios.identity.tries import Tally

if TYPE_CHECKING:
    from lab.hospital.viewer import Said, Viewer
    from lab.scenarios.identity.facts import Case
    from lab.scenarios.identity.tries import Scene

OK, REFUSED = 200, 403
SESSION = "/gateway/session"
BREAK_GLASS = "/gateway/break-glass"
DICOM_JSON = {"Accept": "application/dicom+json"}
PATIENT_ID, STUDY_UID = "00100020", "0020000D"
ENDED_WITHIN = 60
"""Seconds in which an account that was closed has to end its sessions."""


def everybody(stage: Scene) -> str:
    """Everybody opens the viewer, searches for both patients, and asks for both studies by their numbers."""
    viewer, tally, site = viewer_of(stage), Tally(), stage.hospital.site
    stage.facts.sessions = {}
    for person in different_people(site):
        if _enter(stage, viewer, person, tally):
            for case in stage.facts.cases:
                _look(stage, viewer, person, case, tally)
    return str(tally)


def emergency(stage: Scene) -> str:
    """Who may break the glass sees one more patient, on record as an emergency; who may not is refused."""
    viewer, site, case = viewer_of(stage), stage.hospital.site, stage.facts.cases[0]
    inside = [name for name in stage.facts.sessions if not may(site, name, "view-images", case)]
    rescuer = next((name for name in inside if may(site, name, "break-glass", case)), None)
    other = next((name for name in stage.facts.sessions if not may(site, name, "break-glass", case)), None)
    if rescuer is None or other is None:
        raise NothingToJudge("the site has nobody who may break the glass, or nobody in the viewer who may not")
    reason = f"Unconscious in the emergency room, {stage.token}"
    mark = stage.hospital.collected.mark(viewer.host)
    refused = breaks_glass(viewer, stage.facts.sessions[other], case, reason)
    require(refused.status == REFUSED, f"{other} broke the glass: {refused.status} {refused.text[:200]}")
    at_the_door = {"action": "request", "outcome": "refused", "reason": "not-permitted", "method": "POST"}
    on_record(stage, viewer.host, mark, **at_the_door, path=BREAK_GLASS, person=other)
    taken = breaks_glass(viewer, stage.facts.sessions[rescuer], case, reason)
    require(taken.status == OK, f"{rescuer} could not break the glass: {taken.status} {taken.text[:200]}")
    require(sees(viewer, stage.facts.sessions[rescuer], case), f"{rescuer} does not see the patient then")
    about = {"person": rescuer, "patient": case.done.patient}
    on_record(stage, viewer.host, mark, action="person-breaks-glass", outcome="success", **about)
    on_record(stage, viewer.host, mark, action="person-views", outcome="success", state="emergency", **about)
    another = stage.facts.cases[1]
    require(
        may(site, rescuer, "view-images", another) or not sees(viewer, stage.facts.sessions[rescuer], another),
        f"{rescuer} sees {another.done.patient}, too, for whom no glass was broken",
    )
    listed = stage.hospital.run(viewer.host, ["pacslab-gateway", "emergencies", "--json"])
    require(reason in listed.stdout and rescuer in listed.stdout, f"the privacy officer reads nothing: {why(listed)}")
    return f"{other} was refused; {rescuer} saw {case.done.patient} alone, marked as an emergency, with the reason kept"


def closed_account(stage: Scene) -> str:
    """An account that is closed at the directory has no session within a minute; it is opened again at the end."""
    viewer, hospital = viewer_of(stage), stage.hospital
    directory = Directory.of(stage.lab)
    person = max(stage.facts.sessions)
    session = stage.facts.sessions[person]
    require(viewer.ask(session, SESSION)[0].status == OK, f"{person} has no session to begin with")
    closed = hospital.run(directory.host, ["samba-tool", "user", "disable", person])
    try:
        require(closed.code == 0, f"the account could not be closed: {why(closed)}")
        stage.eventually(
            lambda: viewer.ask(session, SESSION)[0].status != OK,
            timeout=ENDED_WITHIN,
            otherwise=f"{person} is still served by the viewer",
        )
        again = viewer.open(person, SESSION)
        require(not again.session, f"{person} came in again")
    finally:
        hospital.run(directory.host, ["samba-tool", "user", "enable", person])
        del stage.facts.sessions[person]
    return f"{person}'s session ended within {ENDED_WITHIN} s, and no new one began until the account was opened again"


def _enter(stage: Scene, viewer: Viewer, person: str, tally: Tally) -> bool:
    """Open the viewer; by policy there is a session, or the sign-on refuses the person there."""
    wanted = bool(actions_at(stage.hospital.site, person, "viewer"))
    identity = viewer.sign_on.host
    mark = stage.hospital.collected.mark(identity)
    opened = (viewer.enter if wanted else viewer.open)(person, SESSION)
    require(opened.asked, f"{person} was not asked for a second factor: {opened}")
    require(bool(opened.session) is wanted, f"{person}: session {bool(opened.session)}, by policy {wanted}")
    told = {"outcome": "success"} if wanted else {"outcome": "refused", "reason": "role"}
    on_record(stage, identity, mark, action="authorize", person=person, **told)
    tally.count(person, let=wanted)
    if wanted:
        stage.facts.sessions[person] = opened.session
        (session,) = viewer.ask(opened.session, SESSION)
        policy, roles = load_policy(), stage.hospital.site.topology.people[person].roles
        due = {name: str(scope) for name in policy.actions if (scope := policy.scope(roles, name)) is not None}
        require(session.json["actions"] == due, f"{person} is told of {session.json['actions']}, by policy {due}")
    return wanted


def _look(stage: Scene, viewer: Viewer, person: str, case: Case, tally: Tally) -> None:
    """Search for a patient and ask for the study by its number: both as the policy says, and on record."""
    site, done = stage.hospital.site, case.done
    allowed = may(site, person, "view-images", case)
    alike = may(site, person, "search-studies", case) is allowed
    require(alike, f"searching and viewing differ for {person}, which this step does not know")
    mark = stage.hospital.collected.mark(viewer.host)
    session = stage.facts.sessions[person]
    found = search(viewer, session, f"PatientID={done.patient}")
    wide = search(viewer, session, "PatientName=*&includefield=all")
    for studies, how in ((found, "by patient"), (wide, "with a wildcard")):
        require((done.study in studies) is allowed, f"{person} finds {done.study} {how}: {done.study in studies}")
    require(found <= {done.study}, f"{person} finds others' studies with {done.patient}: {sorted(found)}")
    require(sees(viewer, session, case) is allowed, f"{person} sees {done.study}: {not allowed}, by policy {allowed}")
    about: dict[str, Any] = {"action": "person-views", "person": person, "study": done.study}
    told = {"outcome": "success"} if allowed else {"outcome": "refused", "reason": "no-relation"}
    on_record(stage, viewer.host, mark, **about, **told)
    tally.count(person, let=allowed)


def search(viewer: Viewer, session: str, query: str) -> set[str]:
    """The studies that somebody finds in the viewer.

    Raises:
        StepFailure: the search is not answered.
    """
    (answer,) = viewer.ask(session, f"/dicom-web/studies?{query}", headers=DICOM_JSON)
    require(answer.status == OK, f"a search answers {answer.status}: {answer.text[:200]}")
    return {entry[STUDY_UID]["Value"][0] for entry in answer.json}


def sees(viewer: Viewer, session: str, case: Case) -> bool:
    """Whether the study's data is told; refused, not a word of it is.

    Raises:
        StepFailure: it is neither.
    """
    (answer,) = viewer.ask(session, f"/dicom-web/studies/{case.done.study}/metadata", headers=DICOM_JSON)
    require(answer.status in {OK, REFUSED}, f"{case.done.study} answers {answer.status}: {answer.text[:200]}")
    if answer.status == REFUSED:
        require(case.done.patient not in answer.text, f"the refusal names the patient: {answer.text[:200]}")
        return False
    return {entry[PATIENT_ID]["Value"][0] for entry in answer.json} == {case.done.patient}


def breaks_glass(viewer: Viewer, session: str, case: Case, reason: str) -> Said:
    """What the viewer answers to somebody who states a reason to see one more patient."""
    said = json.dumps({"patient": case.done.patient, "reason": reason})
    head = {"Content-Type": "application/json", "Origin": viewer.address, "Sec-Fetch-Site": "same-origin"}
    (answer,) = viewer.ask(session, {"address": BREAK_GLASS, "method": "POST", "headers": head, "text": said})
    return answer
