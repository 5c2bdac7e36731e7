"""Who does what in the viewer for a deed, and patients whom somebody examined for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.access.policy import Scope, load_policy
from lab.hospital.codes import who_has_codes
from lab.hospital.modality import Modality
from lab.hospital.record import Record
from lab.scenarios.examination.course import CT_HEAD, place_order
from lab.scenarios.failure import NothingToJudge, require

if TYPE_CHECKING:
    from lab.hospital.viewer import Said, Viewer
    from lab.scenarios.monitoring.facts import Scene
    from lab.topology.site import Site

OK = 200
SESSION = "/gateway/session"
STUDIES = "/dicom-web/studies"
BREAK_GLASS = "/gateway/break-glass"
DICOM_JSON = {"Accept": "application/dicom+json"}
STUDY_UID = "0020000D"
SMALL = ("--images", "1", "--matrix", "64")
AT_ONCE = 20
"""Requests of one browser that are made one after the other before it is looked at what came of them."""


@dataclass(frozen=True)
class Examined:
    """A patient who was examined for a deed, by the department that owns the station."""

    patient: str
    study: str
    department: str


def examined(stage: Scene) -> Examined:
    """Examine a patient, with one small image."""
    patient = Record.of(stage.hospital).register(f"Watched{stage.token}", "Anna").patient.identifier
    done = place_order(stage, patient, CT_HEAD)
    Modality(stage.hospital, done.station).perform("acquire", done.accession, *SMALL)
    return Examined(patient, done.study, stage.hospital.site.hosts[done.station].asset.owner)


def scoped(site: Site, action: str, scope: Scope) -> list[str]:
    """Who may do something for the patients of a scope, and signs in with a one-time password."""
    policy, people = load_policy(), site.topology.people
    return [name for name in who_has_codes(site) if policy.scope(people[name].roles, action) is scope]


def colleagues_of(site: Site, department: str) -> list[str]:
    """Who views images of a department's patients because they are of it.

    Raises:
        NothingToJudge: fewer than two people do.
    """
    people = site.topology.people
    found = [name for name in scoped(site, "view-images", Scope.DEPARTMENT) if people[name].department == department]
    if len(found) < 2:  # noqa: PLR2004 # one for each half
        raise NothingToJudge(f"{department} has no two people who view images")
    return found


def entered(viewer: Viewer, person: str) -> str:
    """Somebody's session at the viewer.

    Raises:
        StepFailure: they are not let in.
    """
    opened = viewer.enter(person, SESSION)
    require(opened.session, f"{person} was not let into the viewer: {opened}")
    return opened.session


def asked(viewer: Viewer, session: str, wishes: list[str]) -> list[Said]:
    """What the viewer answers to one request after the other."""
    answers: list[Said] = []
    for first in range(0, len(wishes), AT_ONCE):
        answers += viewer.ask(session, *wishes[first : first + AT_ONCE], headers=DICOM_JSON)
    return answers


def studies_of(viewer: Viewer, session: str, most: int) -> list[str]:
    """Studies that somebody finds in the viewer, so many at most."""
    (answer,) = viewer.ask(session, f"{STUDIES}?limit={most}", headers=DICOM_JSON)
    require(answer.status == OK, f"a search answers {answer.status}: {answer.text[:200]}")
    return [str(entry[STUDY_UID]["Value"][0]) for entry in answer.json]


def breaks_glass(viewer: Viewer, session: str, patient: str, reason: str) -> Said:
    """What the viewer answers to somebody who states a reason to see one more patient."""
    head = {"Content-Type": "application/json", "Origin": viewer.address, "Sec-Fetch-Site": "same-origin"}
    text = json.dumps({"patient": patient, "reason": reason})
    (answer,) = viewer.ask(session, {"address": BREAK_GLASS, "method": "POST", "headers": head, "text": text})
    return answer
