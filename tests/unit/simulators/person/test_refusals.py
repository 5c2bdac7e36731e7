"""A person at a console learns why the sign-on does not take a password, and what to do about it."""

from __future__ import annotations

import pytest

from simulators.access.denied import DeniedError
from simulators.errors import RefusedError, UnreachableError
from simulators.events import reasons
from simulators.person.refusals import answer_to_password
from tests.unit.simulators.person.sign_on import CODE, PASSWORD, SignOn


@pytest.mark.parametrize(
    ("told", "words", "reason"),
    [
        ("21", "account is locked", reasons.ACCOUNT_LOCKED),
        ("22", "password has expired", reasons.PASSWORD_EXPIRED),
        ("86", "wait after failed attempts", reasons.TOO_MANY_ATTEMPTS),
        ("103", "no second factor", reasons.NO_SECOND_FACTOR),
    ],
)
def test_each_message_of_the_sign_on_has_words_a_remedy_and_a_reason(told: str, words: str, reason: object) -> None:
    error = answer_to_password("idp1", {told})
    assert isinstance(error, DeniedError)
    assert words in error.message
    assert error.remedy
    assert error.reason is reason


@pytest.mark.parametrize("told", ["3", "6", "7"])
def test_a_directory_that_is_away_is_no_wrong_password(told: str) -> None:
    error = answer_to_password("idp1", {told})
    assert isinstance(error, UnreachableError)
    assert "directory behind idp1 does not answer" in error.message


def test_anything_else_is_a_name_and_a_password_that_do_not_belong_together() -> None:
    for told in ((), {"5"}, {"9999"}):
        error = answer_to_password("idp1", told)
        assert type(error) is RefusedError
        assert "name and password" in error.message


def test_the_numbers_are_read_from_the_page(desk: SignOn) -> None:
    desk.says = "6"
    with pytest.raises(UnreachableError, match="directory"):
        desk.portal().sign_in("a.rivera", "wrong", CODE)


def test_a_page_that_asks_for_a_security_key_is_told_as_such(desk: SignOn) -> None:
    desk.asks_for_key = True
    with pytest.raises(DeniedError, match="security key, which a console cannot show"):
        desk.portal().sign_in("a.rivera", PASSWORD, CODE)


def test_an_id_token_has_the_word_that_the_caller_gives(desk: SignOn) -> None:
    desk.portal().sign_in("a.rivera", PASSWORD, CODE, "a word of the caller's")
    assert desk.wish["nonce"] == "a word of the caller's"
