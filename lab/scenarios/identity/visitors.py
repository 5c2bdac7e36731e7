"""Somebody of a partner: comes with the own home's sign-on, sees the patients of an own treatment, and no longer."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lab.access.policy import load_policy
from lab.hospital.hospital import why
from lab.hospital.record import Record
from lab.scenarios.examination.people import on_record, viewer_of
from lab.scenarios.failure import NothingToJudge, require
from lab.scenarios.identity.viewer import (
    ENDED_WITHIN,
    OK,
    REFUSED,
    SESSION,
    breaks_glass,
    sees,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.hospital.viewer import Viewer
    from lab.scenarios.identity.tries import Scene

SETTINGS = "/etc/pacslab/sign-on/portal.json"
SERVICE = "pacslab-sign-on.service"
ANSWERS = ("curl", "--silent", "--fail", "--output", "/dev/null", "--config", "/etc/pacslab/sign-on/health.curl")
KNOWN_WITHIN = 30
"""Seconds in which the viewer goes by an admission; what it was told of a person counts for ten."""


def visitor(stage: Scene) -> str:
    """A partner's person signs in at home, sees the patient of an own treatment, and is refused the rest."""
    viewer, person = viewer_of(stage), somebody(stage)
    partner = person.partition("@")[2]
    own, other = stage.facts.cases
    identity = viewer.sign_on.host
    mark = stage.hospital.collected.mark(identity)
    opened = viewer.enter(person, SESSION)
    require(bool(opened.session), f"{person} was not let in: {opened}")
    stage.facts.visit = opened.session
    on_record(stage, identity, mark, action="sign-in", outcome="success", person=person, home=partner)
    on_record(stage, identity, mark, action="authorize", outcome="success", person=person)
    role, policy = stage.hospital.site.topology.partners[partner].role, load_policy()
    due = {name: str(scope) for name in policy.actions if (scope := policy.scope([role], name)) is not None}
    (session,) = viewer.ask(opened.session, SESSION)
    told = session.json
    require((told["roles"], told["actions"]) == ([role], due), f"{person} is {told['roles']} and may {told['actions']}")
    for case in (own, other):
        require(not sees(viewer, opened.session, case), f"{person} sees {case.done.study} of nobody's in treatment")
    Record.of(stage.hospital).admit(own.done.patient, person)
    mark = stage.hospital.collected.mark(viewer.host)
    stage.eventually(
        lambda: sees(viewer, opened.session, own),
        timeout=KNOWN_WITHIN,
        otherwise=f"{person} does not see the patient who was admitted to the own care",
    )
    on_record(stage, viewer.host, mark, action="person-views", outcome="success", person=person, study=own.done.study)
    require(not sees(viewer, opened.session, other), f"{person} sees {other.done.study} as well")
    refused = {"action": "person-views", "outcome": "refused", "reason": "no-relation"}
    on_record(stage, viewer.host, mark, **refused, person=person, study=other.done.study)
    broke = breaks_glass(viewer, opened.session, other, "A visitor's reason")
    require(broke.status == REFUSED, f"{person} broke the glass: {broke.status} {broke.text[:200]}")
    return f"{person} is {role}: saw {own.done.patient} in own treatment, and nobody else, on record by that name"


def cut(stage: Scene) -> str:
    """The trust is cut: the session of a partner's person ends, and nobody of the partner comes in."""
    viewer, person = viewer_of(stage), somebody(stage)
    partner = person.partition("@")[2]
    session = stage.facts.visit
    require(viewer.ask(session, SESSION)[0].status == OK, f"{person} has no session to begin with")
    mark = stage.hospital.collected.mark(viewer.sign_on.host)
    with distrusted(stage, viewer, partner):
        stage.eventually(
            lambda: viewer.ask(session, SESSION)[0].status != OK,
            timeout=ENDED_WITHIN,
            otherwise=f"{person} is still served by the viewer",
        )
        ended = {"action": "confirm-session", "outcome": "refused", "reason": "partner-cut"}
        on_record(stage, viewer.sign_on.host, mark, **ended, person=person)
        again = viewer.open(person, SESSION)
        require(not again.session, f"{person} came in again")
    came = viewer.enter(person, SESSION)
    require(bool(came.session), f"{person} does not come in once the trust is there again: {came}")
    return f"{person}'s session ended within {ENDED_WITHIN} s, and no new one began until the trust was there again"


def somebody(stage: Scene) -> str:
    """The first person of a partner that is trusted.

    Raises:
        NothingToJudge: the site has none.
    """
    topology = stage.hospital.site.topology
    for person in topology.visitors:
        if topology.partners[person.partition("@")[2]].trusted:
            return person
    raise NothingToJudge("the site has no partner whose people come with their own sign-on")


@contextmanager
def distrusted(stage: Scene, viewer: Viewer, partner: str) -> Iterator[None]:
    """The sign-on as it is configured when the description says that a partner is not trusted, for a while."""
    lab, host = stage.lab, viewer.sign_on.host  # not by the hospital, which keeps what it reads: secrets stand there
    shipped = lab.run(host, ["cat", SETTINGS]).stdout
    settings = json.loads(shipped)
    settings["pacslabPartners"][partner]["trusted"] = False

    def put(text: str) -> None:
        wrote = lab.run(host, ["sh", "-c", f"cat >{SETTINGS} && systemctl restart {SERVICE}"], input=text.encode())
        require(wrote.code == 0, f"{host} does not take its settings: {why(wrote)}")
        stage.eventually(
            lambda: lab.run(host, ANSWERS).code == 0, timeout=30, otherwise=f"{host} does not answer again"
        )

    try:
        put(json.dumps(settings))
        yield
    finally:
        put(shipped)
