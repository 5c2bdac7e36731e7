"""A command signs a person in with both factors, and believes nothing but its own sign-on."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.access.denied import DeniedError
from simulators.errors import RefusedError, UnreachableError
from simulators.events import reasons
from simulators.person.portal import COOKIE
from tests.unit.simulators.person.sign_on import CLIENT, CODE, PASSWORD, REDIRECT, TOKEN, SignOn


def test_both_factors_open_a_session_by_the_code_flow_with_a_hashed_proof_key(desk: SignOn) -> None:
    session = desk.portal().sign_in("a.rivera", PASSWORD, CODE)
    assert (session.person, session.token, session.cookie) == ("a.rivera", TOKEN, "c1")
    asked = {key: desk.wish[key] for key in ("client_id", "redirect_uri", "response_type", "code_challenge_method")}
    assert asked == {
        "client_id": CLIENT, "redirect_uri": REDIRECT, "response_type": "code", "code_challenge_method": "S256"
    }  # fmt: skip
    assert TOKEN not in repr(session)


@pytest.mark.parametrize(
    ("password", "code", "told"), [("wrong", CODE, "name and password"), (PASSWORD, "000000", "one-time password")]
)
def test_a_wrong_factor_opens_none_and_says_which(desk: SignOn, password: str, code: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told):
        desk.portal().sign_in("a.rivera", password, code)


def test_who_may_do_nothing_at_the_host_is_not_let_in(desk: SignOn) -> None:
    desk.unauthorised = True
    with pytest.raises(DeniedError, match="may do nothing at ws1") as denied:
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)
    assert denied.value.reason is reasons.ROLE
    assert desk.ended == [f"{COOKIE}=c1"], "nor does a session stay behind"


@pytest.mark.parametrize(
    "wrong",
    [{"nonce": "another"}, {"aud": "web1"}, {"aud": [CLIENT, "web1"]}, {"sub": "t.berg"}, {"iss": "x"}],
    ids=str,
)
def test_an_id_token_that_is_not_for_this_is_refused(desk: SignOn, wrong: dict[str, Any]) -> None:
    desk.id_token = wrong
    with pytest.raises(RefusedError, match="not for this person"):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)


@pytest.mark.parametrize("wrong", [{"acr": "loa-2"}, {"acr": None}], ids=str)
def test_an_id_token_without_a_second_factor_is_refused(desk: SignOn, wrong: dict[str, Any]) -> None:
    desk.id_token = wrong
    with pytest.raises(RefusedError, match="second factor"):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "userinfo_endpoint"])
def test_nothing_is_sent_to_another_site(desk: SignOn, name: str) -> None:
    desk.known = {name: "http://127.0.0.2:1/oauth2"}
    with pytest.raises(RefusedError, match="another site"):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)


@pytest.mark.parametrize("address", ["http://127.0.0.2:1/", "http://127.0.0.1:8799/signed-in.example?code=1"])
def test_a_page_leads_nowhere_else(desk: SignOn, address: str) -> None:
    desk.elsewhere = address
    with pytest.raises(RefusedError, match="another site"):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)


def test_a_sign_on_of_another_name_is_none(desk: SignOn) -> None:
    desk.known = {"issuer": "https://idp1.elsewhere.internal"}
    with pytest.raises(RefusedError, match="another name"):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)


def test_what_is_said_of_a_person_is_asked_each_time(desk: SignOn) -> None:
    portal = desk.portal()
    session = portal.sign_in("a.rivera", PASSWORD, CODE)
    desk.claims = {"groups": ["radiologist"]}
    assert portal.claims(session) == {"sub": "a.rivera", "groups": ["radiologist"]}
    desk.claims = {"sub": "t.berg"}
    with pytest.raises(RefusedError, match="somebody else"):
        portal.claims(session)
    desk.open = False
    assert portal.claims(session) is None


def test_signing_out_ends_the_session_of_the_portal(desk: SignOn) -> None:
    portal = desk.portal()
    session = portal.sign_in("a.rivera", PASSWORD, CODE)
    portal.sign_out(session)
    assert [cookie for cookie in desk.ended if f"{COOKIE}=c1" in cookie]
    assert portal.claims(session) is None


def test_a_session_that_does_not_end_is_told(desk: SignOn) -> None:
    desk.stays = True
    portal = desk.portal()
    with pytest.raises(RefusedError, match="has not ended the session"):
        portal.sign_out(portal.sign_in("a.rivera", PASSWORD, CODE))


def test_a_sign_on_that_is_away_is_told_as_such(desk: SignOn) -> None:
    portal = desk.portal()
    session = portal.sign_in("a.rivera", PASSWORD, CODE)
    away = type(session)(session.person, session.token, "http://127.0.0.1:9/oauth2/userinfo", session.end, "", "")
    with pytest.raises(UnreachableError, match="does not answer"):
        portal.claims(away)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_web_server_whose_sign_on_is_away_is_no_refusal(desk: SignOn, status: int) -> None:
    desk.away = status
    with pytest.raises(UnreachableError, match=f"cannot answer now .{status}."):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)


def test_a_statement_that_has_expired_when_it_comes_is_a_matter_of_clocks(desk: SignOn) -> None:
    desk.id_token = {"exp": 1}
    with pytest.raises(RefusedError, match="clock and this host's do not agree"):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)
