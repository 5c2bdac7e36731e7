"""People with every right to be there who look at what they have no reason to: many, well-known, by emergency."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.access.policy import Scope
from lab.hospital.archive import Archive
from lab.hospital.hospital import Actor, why
from lab.hospital.workday import COMMAND as LOAD
from lab.hospital.workday import Ordered
from lab.scenarios.examination.course import CT_HEAD
from lab.scenarios.examination.people import viewer_of
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.monitoring.deed import Attempt, Deed
from lab.scenarios.monitoring.facts import detections_of
from lab.scenarios.monitoring.faults import TAKEN_BACK_WITHIN
from lab.scenarios.monitoring.people import (
    OK,
    STUDIES,
    asked,
    breaks_glass,
    colleagues_of,
    entered,
    examined,
    scoped,
    studies_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.hospital.viewer import Viewer
    from lab.scenarios.monitoring.facts import Scene
    from lab.scenarios.monitoring.people import Examined

READING, SCANNER = Actor("reading"), Actor("acquisition", CT_HEAD.section)
RECORD = Actor("order-placer")
SEARCHES = 65
"""The rule counts sixty in ten minutes."""
OPENED = 27
"""The rule counts twenty-five studies in ten minutes; the gateway tells of the same series once in five."""
EXAMINED_WITHIN = 300.0
"""Seconds in which studies to open have to be there."""
SITE, INTAKE = "/etc/pacslab/siem-site.json", "pacslab-siem-intake.service"
WITHOUT_REASON = "No reason that a privacy officer would take"


def _searching(stage: Scene) -> Attempt:
    viewer = viewer_of(stage)
    people = scoped(stage.hospital.site, "search-studies", Scope.DEPARTMENT)
    if not people:
        raise NothingToJudge("nobody of the site searches in the viewer")
    person = people[-1]
    session = entered(viewer, person)

    @contextmanager
    def search() -> Iterator[str]:
        wishes = [f"{STUDIES}?PatientID={stage.token}{number}" for number in range(SEARCHES)]
        answered = [answer.status for answer in asked(viewer, session, wishes)]
        require(set(answered) == {OK}, f"searches of {person} answer {sorted(set(answered))}")
        yield f"{person} searched {SEARCHES} times"

    return Attempt(search, frozenset({person}))


def _copying(stage: Scene) -> Attempt:
    """Open more studies than anybody reads: as one colleague, and without the rule as another."""
    viewer, site = viewer_of(stage), stage.hospital.site
    department = site.hosts[stage.hospital.host(SCANNER)].asset.owner
    people = colleagues_of(site, department)[::-1]  # the first by name have most of the lab's work
    _enough(stage, viewer, people[0])
    turns = iter(people)
    return Attempt(lambda: _opened(viewer, next(turns)), frozenset(people))


@contextmanager
def _opened(viewer: Viewer, person: str) -> Iterator[str]:
    session = entered(viewer, person)
    wishes = [f"{STUDIES}/{study}/metadata" for study in studies_of(viewer, session, OPENED)]
    answered = [answer.status for answer in asked(viewer, session, wishes)]
    require(answered.count(OK) >= OPENED, f"{person} opened {answered.count(OK)} of {len(wishes)} studies")
    yield f"{person} opened {len(wishes)} studies"


def _enough(stage: Scene, viewer: Viewer, person: str) -> None:
    """Have as many studies examined as it takes, by what is brought along: a ward and a technologist."""
    hospital = stage.hospital
    missing = OPENED - len(studies_of(viewer, entered(viewer, person), OPENED))
    if missing <= 0:
        return
    prefix, archive = f"M{stage.token}", Archive(hospital, hospital.archive_of(hospital.host(SCANNER)))
    record = hospital.host(RECORD)
    stations = SCANNER.hosts(hospital.site)
    words = ["--prefix", prefix, "--first", "1", "--last", str(missing), "--sections", CT_HEAD.section]

    def ordered() -> bool:
        order = [LOAD, "order", *words, "--seconds", "30", "--json"]
        return len(hospital.ask(record, order, Ordered, timeout=300).orders) == missing

    stage.eventually(ordered, timeout=EXAMINED_WITHIN, otherwise=f"{record} has not placed {missing} orders")

    def there() -> bool:
        for station in stations:
            more = ["--prefix", prefix, "--images", "1", "--matrix", "64", "--seconds", "5", "--json"]
            hospital.run(station, [LOAD, "acquire", *more], timeout=300)
        return len(archive.find("Study", PatientID=f"{prefix}*")) >= missing

    stage.eventually(there, timeout=EXAMINED_WITHIN, otherwise=f"{archive.host} has no {missing} studies more")


def _watched(stage: Scene) -> Attempt:
    """Look at a patient whom the site watches over, at an hour at which nobody works, as two colleagues in turn."""
    viewer, patient = viewer_of(stage), examined(stage)
    people = colleagues_of(stage.hospital.site, patient.department)
    sessions = iter([(person, entered(viewer, person)) for person in people[:2]])
    return Attempt(lambda: _looked(stage, viewer, patient, *next(sessions)), frozenset(people))


@contextmanager
def _looked(stage: Scene, viewer: Viewer, patient: Examined, person: str, session: str) -> Iterator[str]:
    with _at_night(stage, patient.patient):
        (answer,) = asked(viewer, session, [f"{STUDIES}/{patient.study}/metadata"])
        require(answer.status == OK, f"{person} does not see {patient.study}: {answer.status}")
        yield f"{person} looked at {patient.patient}, whom the site watches over, outside of working hours"


@contextmanager
def _at_night(stage: Scene, patient: str) -> Iterator[None]:
    """Have the repository's intake watch over a patient and know no working hours; then as the site says again."""
    host = detections_of(stage).host
    shipped = stage.lab.run(host, ["cat", SITE]).stdout
    settings = json.loads(shipped)
    settings["watched"] = [*settings.get("watched", ()), patient]
    settings["hours"] = {**settings.get("hours", {}), "begin": 0, "end": 0}

    def put(text: str) -> None:
        write = f"cat >{SITE} && systemctl restart {INTAKE}"
        wrote = stage.lab.run(host, ["sh", "-c", write], input=text.encode(), timeout=TAKEN_BACK_WITHIN)
        require(wrote.code == 0, f"{host} does not take its settings: {why(wrote)}")

    try:
        put(json.dumps(settings))
        yield
    finally:
        put(shipped)


def _without_need(stage: Scene) -> Attempt:
    """Take access in an emergency to a patient who is in none: by who has taken the least lately."""
    viewer, site, patient = viewer_of(stage), stage.hospital.site, examined(stage)
    listed = stage.hospital.run(viewer.host, ["pacslab-gateway", "emergencies", "--json"])
    taken = listed.stdout
    people = [
        name
        for name in scoped(site, "break-glass", Scope.ALL)
        if name not in scoped(site, "view-images", Scope.DEPARTMENT)
        or site.topology.people[name].department != patient.department
    ]
    if not people:
        raise NothingToJudge("nobody of the site may take access in an emergency")
    person = min(people, key=taken.count)
    session = entered(viewer, person)
    patients = iter([patient, examined(stage)])

    @contextmanager
    def breaks() -> Iterator[str]:
        about = next(patients).patient
        answer = breaks_glass(viewer, session, about, WITHOUT_REASON)
        require(answer.status == OK, f"{person} could not break the glass: {answer.status} {answer.text[:200]}")
        yield f"{person} took access to {about}, whom nobody admitted"

    return Attempt(breaks, frozenset({person}))


DEEDS = (
    Deed(
        "mass-query", "Viewer: a person searches again and again", READING, "RAD-129", "searches-in-mass", _searching,
    ),
    Deed(
        "mass-retrieval", "Viewer: a person opens more studies than anybody reads", READING, "RAD-107",
        "studies-in-mass", _copying,
    ),
    Deed(
        "watched-patient", "Viewer: a person looks at a well-known patient outside of working hours", READING,
        "RAD-107", "watched-patient-off-hours", _watched,
    ),
    Deed(
        "break-glass", "Viewer: a person takes access in an emergency that is none", READING, "RAD-107",
        "break-glass", _without_need,
    ),
)  # fmt: skip
