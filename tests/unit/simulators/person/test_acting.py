"""A command is somebody's: it is refused without a session, role or relation, and every event names the person."""

from __future__ import annotations

import io
import json
import stat
import sys
from typing import TYPE_CHECKING, Any

import pytest

from simulators import command_line
from simulators.access import policy
from simulators.command_line import Result, Verb, run
from simulators.events.actions import ORDER
from simulators.events.report import write_event
from simulators.person import acting
from simulators.person.cli import PERSON_VERBS
from simulators.person.portal import Portal
from simulators.relations.resource import Relation
from simulators.settings import parse
from tests.unit.simulators.person.sign_on import CODE, PASSWORD, REDIRECT, SignOn

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from simulators.settings import Settings

POLICY = {
    "radiologist": {"report": "department", "read-report": "treatment", "annotate": "all"},
    "registrar": {"register-patient": "all"},
}
SIGN_ON = {
    "name": "idp1", "fqdn": "idp1.tiny.internal", "identity": "idp1.tiny.internal", "address": "127.0.0.1",
    "service": "sign-on", "port": 443,
}  # fmt: skip
ROOM: dict[str, Any] = {
    "host": {"name": "ws1", "fqdn": "ws1.tiny.internal", "address": "127.0.0.1"},
    "site": {"name": "tiny", "domain": "tiny.internal"},
    "tls": {"ca": "/none", "crl": "/none", "certificates": {}},
    "listen": {},
    "peers": [],
    "callers": [],
}


def do(arguments: argparse.Namespace, _: Settings) -> Result:
    """What the commands of these tests do: something to a patient whom this host knows as the department's own."""
    own = {(Relation.DEPARTMENT, "Radiology"): ["P1"], (Relation.TREATMENT, "a.rivera"): ["P2"]}
    arguments.acting.require(arguments.patient, lambda relation, who: own.get((relation, who), []))
    write_event(ORDER, patient=arguments.patient)
    return Result({"by": arguments.acting.name, "as": arguments.acting.person_name}, "done")


def _patient(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("patient")


VERBS = (
    *PERSON_VERBS,
    *(
        Verb(action, "Does it.", f"{__name__}:do", action, _patient, action=action)
        for action in ("report", "read-report", "annotate", "register-patient")
    ),
)


class Console:
    """A command at a host, whose answers and events are seen."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        """Type at it, and read its answers."""
        self._capsys, self._monkeypatch = capsys, monkeypatch

    def __call__(self, *words: str, typed: str = "") -> tuple[int, dict[str, Any]]:
        """Run a verb; its exit code and answer."""
        self._monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        code = run("pacslab-ws", "", "nobody-else", VERBS, [*words, "--json"])
        return code, json.loads(self._capsys.readouterr().out)


@pytest.fixture
def console(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, sessions: Path, tmp_path: Path
) -> Console:
    """A host of a site with a sign-on, for which a test gives the portal."""
    del sessions
    rules = tmp_path / "access.json.policy"
    rules.write_text(json.dumps({"roles": POLICY}))
    settings = parse({**ROOM, "peers": [SIGN_ON], "sign_on_redirect": REDIRECT})
    monkeypatch.setattr(command_line, "load", lambda: settings)
    monkeypatch.setattr(command_line, "become_service_user", lambda _: None)
    known = policy.load(rules)
    monkeypatch.setattr(acting.policy, "load", lambda: known)
    return Console(capsys, monkeypatch)


@pytest.fixture
def at_work(console: Console, desk: SignOn, monkeypatch: pytest.MonkeyPatch) -> Console:
    """The same, with a radiologist who is signed in."""
    monkeypatch.setattr(Portal, "of", lambda _: desk.portal())
    desk.claims = {
        "groups": ["radiologist"], "department": "Radiology", "family_name": "Ri^vera", "given_name": "Ana"
    }  # fmt: skip
    code, said = console("sign-in", "a.rivera", typed=f"{PASSWORD}\n{CODE}\n")
    assert (code, said) == (0, {"person": "a.rivera"})
    return console


def test_what_a_person_does_names_the_person_everywhere(at_work: Console, events: list[dict[str, Any]]) -> None:
    assert at_work("report", "P1") == (0, {"by": "a.rivera", "as": "Ri vera^Ana"})
    assert [(event["action"], event["person"]) for event in events] == [("sign-in", "a.rivera"), ("order", "a.rivera")]


def test_the_session_is_readable_to_its_user_alone(at_work: Console, sessions: Path) -> None:
    del at_work
    assert stat.S_IMODE((sessions / "a.rivera.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("verb", "patient", "reason"),
    [("register-patient", "P1", "role"), ("report", "P2", "no-relation"), ("read-report", "P1", "no-relation")],
)
def test_what_a_person_may_not_is_refused_and_on_record(
    at_work: Console, events: list[dict[str, Any]], verb: str, patient: str, reason: str
) -> None:
    code, said = at_work(verb, patient)
    assert (code, said["reason"]) == (1, reason)
    last = {key: events[-1].get(key) for key in ("action", "outcome", "reason", "person", "verb", "patient")}
    assert last == {
        "action": "command", "outcome": "refused", "reason": reason, "person": "a.rivera", "verb": verb,
        "patient": patient,
    }  # fmt: skip
    assert not [event for event in events if event["action"] == "order"]


@pytest.mark.parametrize(("verb", "patient"), [("report", "P1"), ("read-report", "P2"), ("annotate", "P9")])
def test_each_scope_reaches_its_patients(at_work: Console, verb: str, patient: str) -> None:
    assert at_work(verb, patient)[0] == 0


def test_nobody_acts_before_signing_in_nor_after_signing_out(
    at_work: Console, desk: SignOn, events: list[dict[str, Any]]
) -> None:
    assert at_work("report", "P1", "--as", "t.berg")[1]["reason"] == "not-signed-in"
    assert at_work("sign-out", "a.rivera")[0] == 0
    assert desk.ended
    assert at_work("report", "P1") == (1, {**at_work("report", "P1")[1], "reason": "not-signed-in"})
    assert "person" not in events[-1]


def test_a_session_that_the_sign_on_has_ended_is_none(at_work: Console, desk: SignOn) -> None:
    desk.open = False
    assert at_work("report", "P1")[1]["reason"] == "not-signed-in"
    assert at_work("signed-in") == (0, {"people": []})


@pytest.mark.parametrize("kept", ["", "[]", '{"person": "a.rivera"}'])
def test_a_session_of_another_release_is_none(at_work: Console, sessions: Path, kept: str) -> None:
    (sessions / "a.rivera.json").write_text(kept)
    assert at_work("report", "P1")[1]["reason"] == "not-signed-in"


def test_a_role_that_the_sign_on_tells_no_more_counts_no_more(at_work: Console, desk: SignOn) -> None:
    desk.claims["groups"] = ["registrar"]
    assert at_work("report", "P1")[1]["reason"] == "role"


def test_of_several_people_one_is_named(at_work: Console, sessions: Path, events: list[dict[str, Any]]) -> None:
    (sessions / "t.berg.json").write_text((sessions / "a.rivera.json").read_text())
    code, said = at_work("report", "P1")
    assert code == 2
    assert "a.rivera, t.berg" in said["message"]
    assert at_work("report", "P1", "--as", "a.rivera")[0] == 0
    del events


@pytest.mark.parametrize("typed", ["", "\n", f"{PASSWORD}\n"])
def test_a_factor_that_is_not_typed_is_asked_for(
    console: Console, desk: SignOn, monkeypatch: pytest.MonkeyPatch, typed: str
) -> None:
    monkeypatch.setattr(Portal, "of", lambda _: desk.portal())
    assert console("sign-in", "a.rivera", typed=typed)[0] == 2


@pytest.mark.parametrize("name", ["../t.berg", "A.RIVERA", "", "a/b"])
def test_a_name_that_is_none_leads_to_no_file(at_work: Console, name: str) -> None:
    assert at_work("sign-out", name)[0] == 2


def test_a_site_without_a_sign_on_works_and_says_that_nobody_was_signed_in(
    console: Console, monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]]
) -> None:
    monkeypatch.setattr(command_line, "load", lambda: parse(ROOM))
    assert console("register-patient", "P1") == (0, {"by": "", "as": ""})
    assert (events[-1]["signed_in"], "person" in events[-1]) == (False, False)
    assert console("register-patient", "P1", "--as", "a.rivera")[0] == 2
