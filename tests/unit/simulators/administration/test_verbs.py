"""Where administrators come from: both factors for a word of the caller's, whether they still may, and envelopes."""

from __future__ import annotations

import argparse
import io
import sys
from typing import TYPE_CHECKING, Any

from simulators.administration import verbs
from simulators.administration.cli import VERBS
from simulators.person.acting import SignedIn
from simulators.person.portal import Portal
from simulators.person.sessions import Sessions
from simulators.settings import parse
from tests.unit.simulators.person.sign_on import CODE, PASSWORD
from tests.unit.simulators.person.test_acting import ROOM

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.unit.simulators.person.sign_on import SignOn

HERE = parse(ROOM)


def arguments(**named: Any) -> argparse.Namespace:
    return argparse.Namespace(**named)


def test_who_proves_it_is_told_with_the_token_and_signed_in(
    desk: SignOn, sessions: Path, monkeypatch: pytest.MonkeyPatch, events: list[dict[str, Any]]
) -> None:
    del sessions
    monkeypatch.setattr(Portal, "of", lambda _: desk.portal())
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{PASSWORD}\n{CODE}\n"))
    told = verbs.prove(arguments(name="a.rivera", nonce="n1"), HERE)
    assert desk.wish["nonce"] == "n1"
    kept = Sessions().get("a.rivera")
    assert kept is not None
    assert told.data == {"person": "a.rivera", "id_token": kept.hint}
    assert kept.hint not in told.text
    assert [(event["action"], event["outcome"], event["person"]) for event in events] == [
        ("sign-in", "success", "a.rivera")
    ]


def test_a_session_is_asked_for_what_administrators_may() -> None:
    (standing,) = (verb for verb in VERBS if verb.name == "standing")
    assert standing.action == "administer-hosts"
    assert verbs.standing(arguments(acting=SignedIn("p.adeyemi")), HERE).data == {"person": "p.adeyemi"}


def test_an_envelope_is_told_with_who_and_where(events: list[dict[str, Any]]) -> None:
    verbs.opened(arguments(target="db1", by="anna"), HERE)
    verbs.sealed(arguments(by="anna"), HERE)
    told = [(event["action"], event["user"], event.get("target")) for event in events]
    assert told == [("open-envelope", "anna", "db1"), ("seal-envelope", "anna", None)]
