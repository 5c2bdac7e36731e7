"""People of every role at their work: in the viewer, at the systems' commands, as administrators; nobody strays."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from lab.access.policy import Scope, load_policy
from lab.errors import UsageError
from lab.hospital.codes import fresh_code, who_has_codes
from lab.hospital.hospital import Actor, why
from lab.hospital.record import COMMAND as RECORD_COMMAND
from lab.hospital.ris import COMMAND as RIS_COMMAND
from lab.hospital.signed_in import sign_in, signs_in
from lab.hospital.viewer import Viewer
from lab.hospital.workstation import COMMAND as WORKSTATION_COMMAND
from lab.operate.administrators import COMMAND as ADMINISTRATION
from lab.operate.administrators import PLACE, sign_on_of
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.model import Step
from lab.scenarios.monitoring.facts import Done
from lab.trust.personal import personal_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scenarios.monitoring.facts import Examined, Scene
    from lab.topology.site import Site

RECORD, FILLER = Actor("order-placer"), Actor("order-filler")
READING, QUALITY_CONTROL = Actor("reading"), Actor("quality-control")
DESKS = (
    ("ehr", RECORD, RECORD_COMMAND),
    ("ris", FILLER, RIS_COMMAND),
    ("workstation", READING, WORKSTATION_COMMAND),
    ("workstation", QUALITY_CONTROL, WORKSTATION_COMMAND),
)
"""Places of the policy at whose commands people sign in."""
OK = 200
SESSION = "/gateway/session"
DICOM_JSON = {"Accept": "application/dicom+json"}


def colleagues(site: Site) -> list[str]:
    """Somebody for each set of roles in each department, with a one-time password to show."""
    found: dict[tuple[frozenset[str], str], str] = {}
    for name in who_has_codes(site):
        person = site.topology.people[name]
        found.setdefault((frozenset(person.roles), person.department), name)
    return list(found.values())


def works_at(site: Site, person: str, place: str) -> bool:
    """Whether one of somebody's roles lets them do something at a place."""
    policy, roles = load_policy(), site.topology.people[person].roles
    return any(action.at == place and policy.scope(roles, name) is not None for name, action in policy.actions.items())


def may_view(site: Site, person: str, examined: Examined) -> bool:
    """Whether somebody may view the images of an examination."""
    people = site.topology.people
    scope = load_policy().scope(people[person].roles, "view-images")
    if scope is Scope.DEPARTMENT:
        return people[person].department in {examined.department, people[examined.orderer].department}
    return scope is Scope.ALL or (scope is Scope.TREATMENT and person == examined.orderer)


def in_viewer(stage: Scene) -> str:
    """Everybody who works in the viewer opens it, searches, looks at what is theirs, and signs out."""
    try:
        viewer = Viewer.of(stage.lab)
    except UsageError as error:
        raise NothingToJudge(error.message) from error
    stage.acts(viewer.sign_on.caller)
    site, looks = stage.hospital.site, 0
    people = [person for person in colleagues(site) if works_at(site, person, "viewer")]
    for person in people:
        opened = viewer.enter(person, SESSION)
        require(opened.session, f"{person} was not let into the viewer: {opened}")
        stage.facts.signed_in.add(Done(viewer.sign_on.host, "sign-in", person))
        for examined in (entry for entry in stage.facts.examinations if may_view(site, person, entry)):
            done = examined.done
            wanted = (f"/dicom-web/studies?PatientID={done.patient}", f"/dicom-web/studies/{done.study}/metadata")
            answers = viewer.ask(opened.session, *wanted, headers=DICOM_JSON)
            require(
                all(answer.status == OK for answer in answers), f"{person} does not see {done.accession}: {answers}"
            )
            stage.facts.about[done.accession].add(Done(viewer.host, "person-views", person))
            looks += 1
        viewer.sign_out(opened.session)
    if not people:
        raise NothingToJudge("nobody of the site works in the viewer")
    return f"{', '.join(people)} opened the viewer, and looked at {looks} studies of theirs"


def at_desks(stage: Scene) -> str:
    """Everybody who works at record, RIS or a workstation signs in there."""
    hospital, site, came = stage.hospital, stage.hospital.site, 0
    for place, actor, command in DESKS:
        for host in (host for host in actor.hosts(site)[:1] if signs_in(site, host)):
            for person in (person for person in colleagues(site) if works_at(site, person, place)):
                stage.acts(host)
                sign_in(hospital, host, command, person)
                stage.facts.signed_in.add(Done(host, "sign-in", person))
                came += 1
    if not came:
        raise NothingToJudge("nobody signs in at the commands of this site")
    return f"people signed in {came} times at {len({done.host for done in stage.facts.signed_in})} systems"


def as_administrators(stage: Scene) -> str:
    """Everybody who administers hosts proves both factors where administrators come from."""
    site = stage.hospital.site
    came = list(_administrators(stage))
    if not came:
        raise NothingToJudge(f"nobody signs in to administer the hosts of site {site.name}")
    return f"{', '.join(came)} signed in as administrators"


def _administrators(stage: Scene) -> Iterator[str]:
    site = stage.hospital.site
    for host in (name for name in site.with_function("administration") if name in site.managed):
        flow = sign_on_of(site, host)
        if flow is None:
            continue
        for person in (person for person in colleagues(site) if works_at(site, person, PLACE)):
            stage.acts(host)
            password = personal_secret(site, stage.lab.folder, person, "password")
            typed = f"{password}\n{fresh_code(stage.lab, person)}\n".encode()
            # not by the hospital, which keeps what it reads: the statement of the sign-on is a secret
            done = stage.lab.run(host, [ADMINISTRATION, "prove", person, secrets.token_hex(16), "--json"], input=typed)
            require(done.code == 0, f"{person} was not let in at {host}: {why(done)}")
            stage.facts.signed_in.add(Done(flow.target, "sign-in", person))
            yield person


STEPS: tuple[Step[Any], ...] = (
    Step(
        "viewer", "People of every role that has work in the viewer open it", READING, "RAD-129, RAD-107",
        "each is let in and sees the day's studies that are theirs", in_viewer, ("begin",),
    ),
    Step(
        "desks", "People of every role sign in at record, RIS and workstations", RECORD, "",
        "each is let in where a role of theirs has work", at_desks, ("begin",),
    ),
    Step(
        "administrators", "Administrators sign in", RECORD, "",
        "each proves both factors where administrators come from", as_administrators, ("begin",),
    ),
)  # fmt: skip
