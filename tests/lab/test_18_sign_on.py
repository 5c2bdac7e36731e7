"""People sign in with a password and a one-time password; nothing less lets them in, and each attempt is on record."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from lab.deadline import wait_until
from lab.hospital.collected import Collected
from lab.hospital.directory import Directory
from lab.hospital.sign_on import SignOn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

SETTINGS = "/etc/pacslab/sign-on/portal.json"
ANSWERS = ["curl", "--silent", "--fail", "--output", "/dev/null", "--config", "/etc/pacslab/sign-on/health.curl"]
OPTIONS = "oidcRPMetaDataOptions"
BACK = "https://application.invalid/back"
APPLICATION = {
    "ClientID": "trial",
    "Public": 1,
    "RedirectUris": BACK,
    "RequirePKCE": 1,
    "BypassConsent": 1,
    "IDTokenSignAlg": "RS256",
    "AuthnLevel": 4,
    "Rule": "1",
}


@dataclass(frozen=True)
class Watched:
    """The clone's sign-on, and what it has logged since it was looked at."""

    sign_on: SignOn
    collected: Collected
    mark: dict[str, int]

    def told(self, action: str, **keys: Any) -> dict[str, Any] | None:
        """The event with these keys at the collector."""
        line = self.collected.wait(
            self.sign_on.host, self.mark, timeout=20, program="pacslab-sign-on", action=action, **keys
        )
        return line["data"] if line else None


@pytest.fixture
def watched(clone: Lab) -> Watched:
    """The sign-on, watched from now on."""
    sign_on, collected = SignOn.of(clone), Collected(clone)
    return Watched(sign_on, collected, collected.mark(sign_on.host))


@pytest.fixture
def application(clone: Lab) -> Iterator[str]:
    """An application that the sign-on knows for a while: the address at which a person opens it, but for where to."""
    sign_on = SignOn.of(clone)

    def put(text: str) -> None:
        assert clone.run(sign_on.host, ["sh", "-c", f"cat >{SETTINGS}"], input=text.encode()).code == 0
        assert clone.run(sign_on.host, ["systemctl", "restart", "pacslab-sign-on"]).code == 0
        assert wait_until(lambda: clone.run(sign_on.host, ANSWERS).code == 0, 30, 0.2)

    shipped = clone.run(sign_on.host, ["cat", SETTINGS]).stdout
    settings = json.loads(shipped)
    settings[OPTIONS]["trial"] = {f"{OPTIONS}{name}": value for name, value in APPLICATION.items()}
    put(json.dumps(settings))
    wish = {"response_type": "code", "client_id": "trial", "scope": "openid", "state": "1", "nonce": "1"}
    proof = {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256"}
    yield f"/oauth2/authorize?{urlencode(wish | proof)}&redirect_uri="
    put(shipped)


@pytest.fixture
def closed(clone: Lab, request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Somebody whose account is closed, as a test asks, and the reason that is told; it is opened again."""
    directory, (person, reason) = Directory.of(clone), request.param
    if reason == "account-locked":
        for guess in range(5):
            directory.sign_in(person, f"a guess, number {guess}")
        undo = "unlock"
    else:
        assert clone.run(directory.host, ["samba-tool", "user", "disable", person]).code == 0
        undo = "enable"
    yield person, reason
    assert clone.run(directory.host, ["samba-tool", "user", undo, person]).code == 0


def test_password_and_one_time_password_sign_a_person_in(watched: Watched) -> None:
    person, sign_on = "a.rivera", watched.sign_on
    visit = sign_on.sign_in(person, sign_on.password(person), sign_on.code(person))
    assert (visit.asked, visit.signed_in) == (True, True), visit
    (cookie,) = {entry for entry in visit.cookies if entry.startswith("__Host-sign-on=") and "expires" not in entry}
    given = {part.strip().lower() for part in cookie.split(";")}
    assert {"secure", "httponly=1", "samesite=lax"} <= given
    event = watched.told("sign-in", outcome="success", person=person)
    assert event is not None
    assert (event["peer"], event["factor"]) == (sign_on.caller, "one-time-password")


def test_a_wrong_password_is_refused_and_on_record_with_the_person(watched: Watched) -> None:
    person, sign_on = "t.berg", watched.sign_on
    visit = sign_on.sign_in(person, "not the password", sign_on.code(person))
    assert (visit.asked, visit.signed_in) == (False, False), visit
    event = watched.told("sign-in", outcome="refused", reason="wrong-password", person=person)
    assert event is not None
    assert event["peer"] == sign_on.caller


def test_a_password_alone_opens_no_session(watched: Watched) -> None:
    person, sign_on = "n.okafor", watched.sign_on
    visit = sign_on.sign_in(person, sign_on.password(person))
    assert (visit.asked, visit.signed_in) == (True, False), visit
    assert watched.told("ask-second-factor", person=person) is not None
    other = sign_on.code(person, at=time.time() - 3600)
    assert not sign_on.sign_in(person, sign_on.password(person), other).signed_in
    assert watched.told("sign-in", outcome="refused", reason="wrong-code", person=person) is not None


def test_a_one_time_password_is_taken_once(watched: Watched) -> None:
    person, sign_on = "m.haddad", watched.sign_on
    code = sign_on.code(person)
    assert sign_on.sign_in(person, sign_on.password(person), code).signed_in
    visit = sign_on.sign_in(person, sign_on.password(person), code)
    assert (visit.asked, visit.signed_in) == (True, False), visit
    assert watched.told("sign-in", outcome="refused", reason="used-code", person=person) is not None


@pytest.mark.parametrize(
    "closed", [("d.weiss", "account-disabled"), ("r.silva", "account-locked")], indirect=True, ids=lambda pair: pair[1]
)
def test_whose_account_is_closed_does_not_get_in(watched: Watched, closed: tuple[str, str]) -> None:
    (person, reason), sign_on = closed, watched.sign_on
    visit = sign_on.sign_in(person, sign_on.password(person), sign_on.code(person))
    assert (visit.asked, visit.signed_in) == (False, False), visit
    assert watched.told("sign-in", outcome="refused", reason=reason, person=person) is not None


def test_a_browser_is_sent_to_the_applications_own_address_alone(watched: Watched, application: str) -> None:
    person, sign_on = "s.moreau", watched.sign_on
    visit = sign_on.sign_in(person, sign_on.password(person), sign_on.code(person), application + BACK)
    assert visit.sent_to.startswith(f"{BACK}?"), visit
    assert watched.told("authorize", outcome="success", person=person, application="trial") is not None
    for foreign in (f"{BACK}/other", "https://application.invalid.example/back"):
        other = "k.osei" if foreign.startswith(BACK) else "l.tanaka"
        visit = sign_on.sign_in(other, sign_on.password(other), sign_on.code(other), application + foreign)
        assert visit.sent_to == "", visit
        assert watched.told("authorize", outcome="refused", reason="foreign-redirect", person=other) is not None


def test_no_password_and_no_code_of_anybody_is_in_the_log(clone: Lab, watched: Watched) -> None:
    sign_on = watched.sign_on
    log = clone.run(sign_on.host, ["journalctl", "--no-pager", "--output=cat"]).stdout
    assert "ask-second-factor" in log
    assert not [name for name in clone.site.topology.people if sign_on.password(name) in log]
