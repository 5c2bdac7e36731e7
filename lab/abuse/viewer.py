"""Attempts at the viewer: from a workstation, with somebody's session, at what is another's."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.evidence import Evidence
from lab.abuse.failure import AttemptError, require
from lab.abuse.parties import flows
from lab.abuse.weakening import Edit, EditedFiles, listens
from lab.access.policy import Scope, load_policy
from lab.hospital.codes import who_has_codes
from lab.hospital.modality import Modality
from lab.hospital.record import Procedure, Record
from lab.hospital.ris import Ris
from lab.hospital.sign_on import SERVICE as SIGN_ON
from lab.hospital.sign_on import SignOn
from lab.hospital.viewer import SERVICE, Viewer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.abuse.scene import Scene
    from lab.engine.lab import Lab
    from lab.topology.site import Site

GATEWAY = "/opt/pacslab/lib/simulators/gateway"
SETTINGS = "/etc/apache2/apache2.conf"
SESSION = "/gateway/session"
STUDIES = "/dicom-web/studies?includefield=PatientID"
OK = 200
IMAGING = Procedure("CTTRIAL", "CT for a trial", "CT")


@dataclass(frozen=True)
class Readers:
    """Who works in the viewer: somebody, and somebody of another department whose patients are not the first one's."""

    insider: str
    outsider: str


def desk(site: Site) -> Parties:
    """A workstation, and the viewer that it reaches.

    Raises:
        PartyMissingError: the site has none, or nobody there whose patients are not everybody's.
    """
    readers(site)
    for flow in flows(site, SERVICE):
        if any(flows_of.source == flow.source for flows_of in flows(site, SIGN_ON)):
            return Parties(flow.source, flow.target)
    raise PartyMissingError("the site has no viewer that people reach")


def two_desks(site: Site) -> Parties:
    """A workstation, the viewer, and another workstation at which somebody reads.

    Raises:
        PartyMissingError: the site has no such three.
    """
    parties = desk(site)
    for flow in flows(site, SIGN_ON):
        if flow.source != parties.source and any(own.source == flow.source for own in flows(site, SERVICE)):
            return Parties(parties.source, parties.target, flow.source)
    raise PartyMissingError("the site has no second workstation with the viewer")


def readers(site: Site) -> Readers:
    """Two people of different departments who each see their own department's patients.

    Raises:
        PartyMissingError: the site has no such two.
    """
    people = site.topology.people
    found = {name: people[name].department for name in _viewing(site, Scope.DEPARTMENT)}
    for (insider, department), (outsider, other) in combinations(found.items(), 2):
        if department != other:
            return Readers(insider, outsider)
    raise PartyMissingError("the site has no two departments with people who view images")


def viewer_of(scene: Scene, caller: str = "") -> Viewer:
    """The viewer, as it is seen from the source or another workstation."""
    host = next(flow.target for flow in flows(scene.site, SIGN_ON))
    return Viewer(scene.lab, scene.parties.target, SignOn(scene.lab, host, caller or scene.parties.source))


def clinician(site: Site) -> str:
    """Somebody who sees the patients of an own treatment alone: the last, as the first orders what the lab examines.

    Raises:
        PartyMissingError: the site has no two people like that.
    """
    found = _viewing(site, Scope.TREATMENT)
    if len(found) < 2:  # noqa: PLR2004 # who orders, and who does not
        raise PartyMissingError("the site has no two people who view images of patients in an own treatment alone")
    return found[-1]


def _viewing(site: Site, scope: Scope) -> list[str]:
    """Who views images of the patients of a scope, and signs in with a one-time password."""
    policy, people = load_policy(), site.topology.people
    return [name for name in who_has_codes(site) if policy.scope(people[name].roles, "view-images") is scope]


def session_of(scene: Scene, caller: str = "", person: str = "") -> str:
    """The cookie of the outsider's session, or of another person's.

    It is the same in both halves, as long as the web server keeps it.

    Raises:
        AttemptError: there is no such session.
    """
    viewer, person = viewer_of(scene, caller), person or readers(scene.site).outsider
    kept: dict[str, str] = scene.once("session", dict)
    if kept and viewer.ask(kept["cookie"], SESSION)[0].status == OK:
        return kept["cookie"]
    opened = viewer.enter(person, SESSION)
    if not opened.session:
        raise AttemptError(f"{person} has no session at the viewer: {opened}", remedy="See the sign-on's log.")
    kept["cookie"] = opened.session
    return opened.session


def foreign_study(scene: Scene) -> str:
    """A study of a patient of the insider's department, whom the outsider does not treat; it is examined once."""
    return examined(scene, "study")


def examined(scene: Scene, what: str, attending: str = "") -> str:
    """The study of a patient who is examined once for this scene, and who may have been admitted to somebody's care."""

    def examine() -> str:
        hospital = scene.hospital
        record = Record.of(hospital)
        patient = record.register(f"Test{scene.token}", "Viewer").patient.identifier
        if attending:
            record.admit(patient, attending)
        ris = Ris.of(hospital)
        procedure = ris.show(record.order(patient, IMAGING).accession or "")
        station = hospital.named(procedure.steps[0].station_ae)
        if station is None:
            raise AttemptError("The examination is scheduled on no host of the site.", remedy="Try again.")
        words = ("--images", "1", "--matrix", "64")
        Modality(hospital, station).perform("acquire", procedure.procedure.accession, *words)
        return procedure.procedure.study_uid

    return scene.once(what, examine)


def looked(scene: Scene, headers: Mapping[str, str] | None = None) -> Tried:
    """The outsider asks for the foreign study by its number, which stands on a request or in a link."""
    session, study = session_of(scene), foreign_study(scene)
    path = f"/dicom-web/studies/{study}/metadata"
    (answer,) = viewer_of(scene).ask(session, path, headers={"Accept": "application/dicom+json", **(headers or {})})
    return Tried(answer.status != OK, f"status {answer.status}", {"study": study, "text": answer.text})


def no_relation(scene: Scene) -> Evidence:
    """The gateway's event: who looked at what."""
    about = (frozenset({readers(scene.site).outsider}), frozenset({foreign_study(scene)}))
    return Evidence(scene.parties.target, "no-relation", about=about)


def seen(scene: Scene, tried: Tried) -> str:
    """Harm: what the study holds was told."""
    study = str(tried.facts["study"])
    told = not tried.refused and study in str(tried.facts["text"])
    return f"{readers(scene.site).outsider} sees study {study} of another department" if told else ""


def still_reads(scene: Scene, _: Tried, person: str = "") -> str:
    """Unharmed: the outsider, or another person, finds what may be found.

    Raises:
        NotAsPromised: it does not work any more.
    """
    caller = scene.parties.other or scene.parties.source
    (answer,) = viewer_of(scene, caller).ask(session_of(scene, caller, person), STUDIES)
    require(answer.status == OK, f"afterwards the viewer answers {answer.status} to a search")
    return f"{scene.parties.target} still searches for {person or readers(scene.site).outsider}"


def gateway_port(site: Site, host: str) -> int:
    """Where the gateway listens on its host."""
    return site.services(host)["access-gateway"].port or 0


def _gateway_listens(lab: Lab, host: str) -> bool:
    return listens(lab, host, gateway_port(lab.site, host))


def _viewer_listens(lab: Lab, host: str) -> bool:
    return listens(lab, host, lab.site.services(host)[SERVICE].port or 0)


def regated(text: str, *edits: Edit) -> EditedFiles:
    """Change files of the gateway, and start it again."""
    return EditedFiles(text, edits, effect=("systemctl", "restart", "pacslab-gateway.service"), ready=_gateway_listens)


def reserved(text: str, *edits: Edit) -> EditedFiles:
    """Change the web server's settings, and start it again; sessions end with that."""
    effect, check = ("systemctl", "restart", "apache2.service"), ("apache2", "-t", "-f", SETTINGS)
    return EditedFiles(text, edits, effect=effect, check=check, ready=_viewer_listens)
