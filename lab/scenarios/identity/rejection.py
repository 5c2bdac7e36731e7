"""Everybody asks at the RIS for images to be rejected, and decides on it; then they are gone wherever people look."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lab.access.policy import load_policy
from lab.hospital.archive import Archive
from lab.hospital.directory import Directory
from lab.hospital.hospital import Actor, why
from lab.hospital.image_manager import COMMAND as IMAGE_MANAGER
from lab.hospital.ris import COMMAND, Ris
from lab.hospital.signed_in import reason_of, run_as
from lab.scenarios.examination.course import FOLLOWED_WITHIN, archives
from lab.scenarios.examination.people import console, on_record, viewer_of
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.identity.facts import different_people, may
from lab.scenarios.identity.tries import Desk, Tally
from lab.scenarios.identity.viewer import search

if TYPE_CHECKING:
    from lab.hospital.viewer import Viewer
    from lab.scenarios.identity.facts import Case
    from lab.scenarios.identity.tries import Scene

FILLER = Actor("order-filler")
ASK, GRANT, REFUSE = "request-rejection", "authorise-rejection", "refuse-rejection"
OWN_REQUEST = "own-request"
WHY = ("--reason", "quality", "--issue", "motion-blur", "--text", "Moved.")
WITHIN = 60
"""Seconds in which a role that somebody is given counts."""


def rejection(stage: Scene) -> str:
    """One request is refused and leaves everything; the next is granted, by somebody else than who asked."""
    tried, tally = Desk(stage, "ris", console(stage, FILLER), COMMAND), Tally()
    inside = [person for person in different_people(stage.hospital.site) if tried.enter(person, tally)]
    granted = [case for case in stage.facts.cases if _decided(stage, tried, inside, case, tally)]
    if not granted:
        raise NothingToJudge("nobody at the site decides on rejections of a department that was examined")
    stage.acts(tried.host)
    return f"{tally}; {', '.join(case.done.accession for case in granted)} rejected, and gone from archives and viewer"


def _decided(stage: Scene, tried: Desk, inside: list[str], case: Case, tally: Tally) -> bool:
    """Have everybody ask about an examination, and decide; whether there is somebody who may."""
    site = stage.hospital.site
    askers = [person for person in inside if may(site, person, ASK, case)]
    deciders = [person for person in inside if may(site, person, GRANT, case)]
    for person in set(inside) - set(askers):
        tried.attempt(person, [ASK, case.done.accession, *WHY], allowed=False, tally=tally)
    if not askers:
        return False
    asker = askers[0]
    first = _asked(tried, asker, case, tally)
    for person in set(inside) - set(deciders):
        for verb in (GRANT, REFUSE):
            tried.attempt(person, [verb, first], allowed=False, tally=tally)
    if not deciders:
        return False
    viewer = viewer_of(stage)
    reader = next(name for name in different_people(site) if may(site, name, "view-images", case))
    session = viewer.enter(reader).session
    tried.attempt(deciders[0], [REFUSE, first], allowed=True, tally=tally)
    require(_seen(viewer, session, case), f"{case.done.accession} is gone although its rejection was refused")
    second = _asked(tried, asker, case, tally)
    _refused_with_both_roles(stage, tried, asker, second)
    _granted(stage, tried, deciders[0], case, second, tally=tally)
    _gone(stage, viewer, session, case)
    return True


def _asked(tried: Desk, person: str, case: Case, tally: Tally) -> str:
    """Have somebody who may ask; the number of the request."""
    mark = tried.mark()
    answer = tried.attempt(person, [ASK, case.done.accession, *WHY], allowed=True, tally=tally)
    tried.on_record(mark, person, action="ask-rejection", outcome="success", accession=case.done.accession)
    return str(answer["rejection"]["id"])


def _refused_with_both_roles(stage: Scene, tried: Desk, person: str, number: str) -> None:
    """Give who has asked the role of who decides, which no description may; it is of no use, and taken away again."""
    hospital, directory = stage.hospital, Directory.of(stage.lab)
    policy = load_policy()
    role = next(name for name in policy.roles if policy.scope([name], GRANT) is not None)
    given = hospital.run(directory.host, ["samba-tool", "group", "addmembers", role, person])
    try:
        require(given.code == 0, f"{person} could not be given {role}: {why(given)}")
        for verb in (GRANT, REFUSE):
            mark = tried.mark()
            stage.eventually(
                partial(_is_refused, stage, tried.host, [COMMAND, verb, number], person),
                timeout=WITHIN,
                otherwise=f"{person}, who has asked and is {role} now, is not refused for that",
            )
            tried.on_record(mark, person, action="command", verb=verb, outcome="refused", reason=OWN_REQUEST)
    finally:
        hospital.run(directory.host, ["samba-tool", "group", "removemembers", role, person])


def _is_refused(stage: Scene, host: str, words: list[str], person: str) -> bool:
    return reason_of(run_as(stage.hospital, host, words, person)) == OWN_REQUEST


def _granted(stage: Scene, tried: Desk, person: str, case: Case, number: str, *, tally: Tally) -> None:
    """Have somebody who may grant; every archive that has the images takes the note, with the person on record."""
    site, done = stage.hospital.site, case.done
    holding = archives(stage.hospital, done)
    marks = {host: stage.hospital.collected.mark(host) for host in holding}
    mark = tried.mark()
    tried.attempt(person, [GRANT, number], allowed=True, tally=tally)
    tried.on_record(mark, person, action="decide-rejection", outcome="success", state="granted")
    ris = Ris(stage.hospital, tried.host)
    stage.eventually(
        lambda: ris.rejections(done.accession)[-1].state == "done",
        timeout=FOLLOWED_WITHIN,
        otherwise=f"an archive has not taken the note of {done.accession}",
    )
    for host in holding:
        tried.on_record(mark, person, action="reject-images", outcome="success", peer=host)
        about = {"program": IMAGE_MANAGER, "study": done.study}
        on_record(stage, host, marks[host], action="reject-images", outcome="success", peer=tried.host, **about)
        on_record(stage, host, marks[host], action="hold-object", reason="rejected-image", **about)
    require(set(holding) <= set(site.managed), f"{holding} are not all of the site")


def _gone(stage: Scene, viewer: Viewer, session: str, case: Case) -> None:
    """No archive has an object of the study, the viewer finds none, and the RIS knows that there is none."""
    done = case.done
    for host in archives(stage.hospital, done):
        stage.eventually(
            partial(_is_empty, stage, host, done.study),
            timeout=FOLLOWED_WITHIN,
            otherwise=f"{host} still has objects of {done.accession}",
        )
    require(not _seen(viewer, session, case), f"the viewer still shows {done.accession}")
    ris = Ris.of(stage.hospital)
    stage.eventually(
        lambda: not any(archive.instances for archive in ris.show(done.accession).availability),
        timeout=FOLLOWED_WITHIN,
        otherwise=f"the RIS still has images of {done.accession} as available",
    )
    require(ris.show(done.accession).missing == [], f"the RIS misses rejected images of {done.accession}")


def _is_empty(stage: Scene, host: str, study: str) -> bool:
    return not Archive(stage.hospital, host).instances(study)


def _seen(viewer: Viewer, session: str, case: Case) -> bool:
    """Whether a reader finds the study in the viewer."""
    return case.done.study in search(viewer, session, f"PatientID={case.done.patient}")
