"""``people`` lists who there is; what somebody signs in with is printed when it is asked for."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lab.cli import people
from lab.trust import ensure_secrets
from lab.trust.one_time_password import one_time_password
from lab.trust.security_key import credential
from tests.unit.lab.cli.command import run_verb
from tests.unit.lab.trust.test_secrets import site_with_people
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

TOPOLOGY = committed_site("reference").topology
DESCRIBED = {**TOPOLOGY.people, **TOPOLOGY.visitors}


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state of a machine without labs."""
    monkeypatch.setenv("PACSLAB_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, str]]:
    """Those of a lab with two people: one with one-time passwords, one with a security key."""
    site = site_with_people()
    monkeypatch.setattr(people, "described_lab", lambda _: SimpleNamespace(site=site, folder=tmp_path))
    return ensure_secrets(site, tmp_path)


def test_the_people_of_a_site_are_listed_without_a_lab(capsys: pytest.CaptureFixture[str]) -> None:
    listed = run_verb(capsys, "people", "--json").json
    assert {entry["name"]: (entry["roles"], entry["second_factor"]) for entry in listed} == {
        name: (person.roles, person.second_factor) for name, person in DESCRIBED.items()
    }
    table = run_verb(capsys, "people").out.splitlines()
    assert [line.split()[0] for line in table[1:]] == list(DESCRIBED)
    assert "Radiologist" in table[1]


def test_a_site_without_people_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "names no people" in run_verb(capsys, "people", "--site", "small-practice").out


def test_show_says_what_a_person_may_do_and_for_which_patients(capsys: pytest.CaptureFixture[str]) -> None:
    shown = run_verb(capsys, "people", "show", "n.okafor", "--json").json
    assert shown["may"]["view-images"] == "treatment"
    assert "report" not in shown["may"]
    assert "view-images (treatment)" in run_verb(capsys, "people", "show", "n.okafor").out


def test_a_password_is_printed_alone(capsys: pytest.CaptureFixture[str], secrets: dict[str, dict[str, str]]) -> None:
    ran = run_verb(capsys, "people", "password", "ana")
    assert (ran.code, ran.out) == (0, secrets["of_password"]["ana"] + "\n")
    assert run_verb(capsys, "people", "password", "ana", "--json").json == {
        "name": "ana",
        "password": secrets["of_password"]["ana"],
    }


def test_a_code_is_the_current_one_with_its_seconds(
    capsys: pytest.CaptureFixture[str], secrets: dict[str, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_900_000_011.5)
    expected = one_time_password(secrets["of_one_time_password"]["ana"], 1_900_000_011)
    ran = run_verb(capsys, "people", "code", "ana")
    assert (ran.out, re.findall(r"\d+ s left", ran.err)) == (expected.code + "\n", [f"{expected.seconds_left} s left"])
    assert run_verb(capsys, "people", "code", "ana", "--json").json == {
        "name": "ana",
        "code": expected.code,
        "seconds_left": expected.seconds_left,
    }


def test_no_secret_is_printed_unasked(capsys: pytest.CaptureFixture[str], secrets: dict[str, dict[str, str]]) -> None:
    every = {value for owners in secrets.values() for value in owners.values()}
    for words in ((), ("list", "--json"), ("show", "ana"), ("show", "ben", "--json")):
        ran = run_verb(capsys, "people", *words)
        assert (ran.code, [value for value in every if value in ran.out + ran.err]) == (0, [])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show",), "needs the name of a person"),
        (("list", "a.rivera"), "takes no name"),
        (("show", "a.riviera"), "Did you mean a.rivera?"),
        (("password", "a.rivera"), "pacslab up"),
        (("code", "a.rivera"), "pacslab up"),
    ],
)
def test_a_question_without_an_answer_is_a_wrong_argument_with_a_remedy(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    ran = run_verb(capsys, "people", *words)
    assert ran.code == 2
    assert said in ran.err


def test_a_key_is_told_as_a_virtual_authenticator_takes_it(
    capsys: pytest.CaptureFixture[str], secrets: dict[str, dict[str, str]]
) -> None:
    key = credential(secrets["of_security_key"]["ben"])
    told = {"name": "ben", "credential": key.number, "private_key": key.private}
    assert run_verb(capsys, "people", "key", "ben", "--json").json == told
    assert run_verb(capsys, "people", "key", "ben").out == f"{key.number} {key.private}\n"
    ran = run_verb(capsys, "people", "key", "ana")
    assert ran.code == 2
    assert "has no security-key" in ran.err
