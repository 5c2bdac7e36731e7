"""People in the viewer who reach for what is not theirs, and strangers with what they have stolen there."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.abuse.attempt import Parties, PartyMissingError, Tried
from lab.abuse.edges import RELOADED
from lab.abuse.evidence import Evidence
from lab.abuse.failure import AttemptError
from lab.abuse.model import AbuseCase
from lab.abuse.parties import flows
from lab.abuse.sights import names_of
from lab.abuse.viewer import (
    GATEWAY,
    OK,
    SESSION,
    SETTINGS,
    STUDIES,
    clinician,
    desk,
    examined,
    looked,
    no_relation,
    readers,
    regated,
    reserved,
    seen,
    session_of,
    still_reads,
    two_desks,
    viewer_of,
)
from lab.abuse.weakening import PROGRAMS, Edit, literal, must, undoing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.abuse.scene import Scene
    from lab.engine.lab import Lab
    from lab.topology.site import Site

ARCHIVE = "dicomweb-tls"
EDGE = "/etc/haproxy/conf.d/40-dicomweb.cfg"
VIEWING = "viewing"
WEB_SERVER = "www-data"
AUTHORITY, CERTIFICATE = "/etc/pacslab/tls/ca.crt", "/etc/pacslab/tls/gateway.pem"
SAID = ("Person", "Roles", "Department")
"""What a browser says of itself in headers that are the web server's."""


def desk_of_clinician(site: Site) -> Parties:
    """A workstation, the viewer, and an archive with DICOMweb that the viewer searches.

    Raises:
        PartyMissingError: the site lacks one of them, or somebody who sees the patients of an own treatment alone.
    """
    clinician(site)
    people = desk(site)
    return Parties(people.source, people.target, beside_gateway(site).target)


def by_a_winding_path(scene: Scene) -> Tried:
    """Ask for an own patient's study by a path that goes on to another's: one that the archive's server resolves."""
    person = clinician(scene.site)
    own, study = examined(scene, "own", person), examined(scene, "study")
    session = session_of(scene, person=person)
    path = f"/dicom-web/studies/{own}/../{study}/metadata"
    (answer,) = viewer_of(scene).ask(session, path, headers={"Accept": "application/dicom+json"})
    return Tried(answer.status != OK, f"status {answer.status}", {"study": study, "text": answer.text})


def no_resource(scene: Scene) -> Evidence:
    """The gateway's event about who asked."""
    return Evidence(scene.parties.target, "no-resource", about=(frozenset({clinician(scene.site)}),))


def wound_past(scene: Scene, tried: Tried) -> str:
    """Harm: what the other patient's study holds was told."""
    study = str(tried.facts["study"])
    told = not tried.refused and study in str(tried.facts["text"])
    return f"{clinician(scene.site)} sees study {study} of somebody else's patient" if told else ""


def clinician_reads(scene: Scene, tried: Tried) -> str:
    """Unharmed: the clinician finds what may be found.

    Raises:
        NotAsPromised: it does not work any more.
    """
    return still_reads(type(scene)(scene.hospital, desk(scene.site)), tried, clinician(scene.site))


def on_archive(_: Site, parties: Parties) -> str:
    """The archive behind the gateway."""
    return parties.other


def with_stolen_cookie(scene: Scene) -> Tried:
    """Take the session that somebody has at another workstation."""
    session = session_of(scene, scene.parties.other)
    search, who = viewer_of(scene).ask(session, STUDIES, SESSION)
    return Tried(search.status != OK, f"status {search.status}", {"text": who.text})


def other_browser(scene: Scene) -> Evidence:
    """The gateway's event about whose session it is."""
    return Evidence(scene.parties.target, "other-browser", about=(frozenset({readers(scene.site).outsider}),))


def robbed(scene: Scene, tried: Tried) -> str:
    """Harm: the session opens the viewer for the thief."""
    person = readers(scene.site).outsider
    return f"{scene.parties.source} is {person} at the viewer" if person in str(tried.facts["text"]) else ""


def with_forged_headers(scene: Scene) -> Tried:
    """Say in the web server's own headers that one is somebody else, of the study's department."""
    insider = readers(scene.site).insider
    person = scene.site.topology.people[insider]
    said = dict(zip(SAID, (insider, ",".join(person.roles), person.department), strict=True))
    return looked(scene, {f"X-Pacslab-{name}": value for name, value in said.items()})


def beside_gateway(site: Site) -> Parties:
    """The viewer's host, and an archive that it searches.

    Raises:
        PartyMissingError: the site has no such two.
    """
    for flow in flows(site, ARCHIVE, "QIDO-RS"):
        if VIEWING in site.hosts[flow.source].functions:
            return Parties(flow.source, flow.target)
    raise PartyMissingError("the site has no viewer that searches an archive")


def past_gateway(scene: Scene) -> Tried:
    """Search the archive as the web server's user, as whoever has broken into the web server can.

    Raises:
        AttemptError: the program did not run.
    """
    source, target = scene.parties.source, scene.parties.target
    where = [scene.site.fqdn(target), str(scene.site.services(target)[ARCHIVE].port)]
    argv = ["python3", "-I", "-", *where, AUTHORITY, CERTIFICATE]
    program = (PROGRAMS / "past_gateway.py").read_bytes()
    done = scene.lab.run(source, argv, input=program, user=WEB_SERVER)
    if done.code != 0:
        raise AttemptError(f"The attempt did not run on {source}: {done.stderr[-300:]}", remedy="Fit the program.")
    said = done.stdout.strip()
    return Tried(said != f"status {OK}", said, {"answer": said})


def no_certificate(scene: Scene) -> Evidence:
    """The edge's line: somebody on the viewer's host came without a certificate."""
    return Evidence(scene.parties.target, "no-certificate", about=(names_of(scene, scene.parties.source),))


def searched(scene: Scene, tried: Tried) -> str:
    """Harm: the archive told which studies there are, of everybody."""
    answered = tried.facts["answer"] == f"status {OK}"
    return f"{scene.parties.target} is searched past the gateway" if answered else ""


def gateway_searches(scene: Scene, _: Tried) -> str:
    """Unharmed: the gateway itself is still let through.

    Raises:
        NotAsPromised: it is not.
    """
    people = desk(scene.site)
    viewing = type(scene)(scene.hospital, people)
    return still_reads(viewing, Tried(refused=True, detail=""))


@dataclass(frozen=True)
class OpenedKey:
    """The gateway's key can be read by everybody on its host."""

    text: str = "everybody on the viewer's host can read the gateway's key"

    def host(self, _: Site, parties: Parties) -> str:
        """Where it is switched off."""
        return parties.source

    @contextmanager
    def applied(self, lab: Lab, parties: Parties) -> Iterator[None]:
        """Give everybody the right, and take it away at the end."""
        with undoing(lambda: must(lab, parties.source, ["chmod", "o-r", CERTIFICATE])):
            must(lab, parties.source, ["chmod", "o+r", CERTIFICATE])
            yield


CASES = (
    AbuseCase(
        "abuse.viewer-foreign-study",
        "Viewer: a study of another department's patient is asked for by its number",
        parties=desk,
        attempt=looked,
        evidence=no_relation,
        harm=seen,
        unharmed=still_reads,
        control="the gateway asks for each study whose it is, and whether the person may see that patient",
        weakenings=(
            regated(
                "every study is everybody's",
                literal(f"{GATEWAY}/access.py", "if study.patient and reach.has(study.patient):", "if True:"),
            ),
        ),
    ),
    AbuseCase(
        "abuse.viewer-winding-path",
        "Viewer: a path that begins at an own patient's study and winds on to another's",
        parties=desk_of_clinician,
        attempt=by_a_winding_path,
        evidence=no_resource,
        harm=wound_past,
        unharmed=clinician_reads,
        control="gateway and edge take a path as it came, and only one that PS3.18 has",
        weakenings=(
            regated(
                "the gateway takes a path for the study that it begins with",
                literal(
                    f"{GATEWAY}/asked.py",
                    'rf"/studies/(?P<study>{_UID})"',
                    r'rf"/studies/(?P<study>{_UID})(?:/\.\./{_UID})?"',
                ),
            ),
            RELOADED(
                "the archive's edge lets every request through",
                (Edit(EDGE, r"^ *http-request set-var\(txn\.reason\) str\(not-permitted\) .*\n", ""),),
                where=on_archive,
            ),
        ),
    ),
    AbuseCase(
        "abuse.viewer-stolen-session",
        "Viewer: the cookie of somebody's session, at another workstation",
        parties=two_desks,
        attempt=with_stolen_cookie,
        evidence=other_browser,
        harm=robbed,
        unharmed=still_reads,
        control="a session belongs to the browser and the address that it began at",
        weakenings=(
            regated(
                "a session is whoever's has its cookie",
                literal(f"{GATEWAY}/browsers.py", "if known[0] != here:", "if False:"),
            ),
        ),
    ),
    AbuseCase(
        "abuse.viewer-forged-headers",
        "Viewer: a browser says in the web server's own headers that it is somebody else's",
        parties=desk,
        attempt=with_forged_headers,
        evidence=no_relation,
        harm=seen,
        unharmed=still_reads,
        control="who somebody is, the web server says after the sign-on, and removes what a browser says",
        weakenings=(
            reserved(
                "what a browser says of itself goes on to the gateway",
                *(Edit(SETTINGS, rf"^ *RequestHeader (unset|set) X-Pacslab-{name} .*\n", "", times=2) for name in SAID),
            ),
        ),
    ),
    AbuseCase(
        "abuse.viewer-past-gateway",
        "Viewer: the web server's user searches an archive past the gateway",
        parties=beside_gateway,
        attempt=past_gateway,
        evidence=no_certificate,
        harm=searched,
        unharmed=gateway_searches,
        control="the archive's edge wants a certificate, and its key is the gateway's user's alone",
        weakenings=(OpenedKey(),),
    ),
)
