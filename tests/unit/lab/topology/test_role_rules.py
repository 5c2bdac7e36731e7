"""What one role says of itself must agree with what the others say; each contradiction is reported where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.topology.catalog import load_catalog
from lab.topology.problems import TopologyError
from tests.unit.lab.topology.sites import write_roles

if TYPE_CHECKING:
    from pathlib import Path

WEB = "  web: {port: 443, unit: a.service, remedy: Look%s}\n"
DECLARES = "summary: A\ncertificate_profiles:\n  node: {usages: [serverAuth]}\n"
USES = "summary: B\ncertificates:\n  key: {profile: node}\n"
TAKES = "summary: A\nservices:\n" + WEB % ", takes: {paths: What it serves}"


def problems(folder: Path, **roles: str) -> list[tuple[str, int, str, str]]:
    """Role, line, message and remedy of each mistake."""
    try:
        load_catalog(write_roles(folder, roles))
    except TopologyError as error:
        return [
            (problem.path.parents[1].name, problem.line, problem.message, problem.remedy) for problem in error.problems
        ]
    return []


def test_a_profile_that_another_role_declares_can_be_used(tmp_path: Path) -> None:
    assert problems(tmp_path, one=DECLARES, two=USES) == []


def test_a_profile_that_no_role_declares_is_reported_with_those_there_are(tmp_path: Path) -> None:
    ((role, line, message, remedy),) = problems(tmp_path, one=DECLARES, two=USES.replace("node", "nod"))
    assert (role, line) == ("two", 3)
    assert "profile nod, which no role declares" in message
    assert "Did you mean node?" in remedy


def test_two_roles_may_declare_a_profile_alike(tmp_path: Path) -> None:
    assert problems(tmp_path, one=DECLARES, two=DECLARES) == []


def test_two_roles_that_declare_a_profile_differently_are_reported(tmp_path: Path) -> None:
    ((role, line, message, _),) = problems(tmp_path, one=DECLARES, two=DECLARES.replace("serverAuth", "clientAuth"))
    assert (role, line) == ("two", 3)
    assert "serverAuth and clientAuth" in message


def test_a_profile_for_servers_and_clients_at_once_is_reported(tmp_path: Path) -> None:
    ((role, line, message, _),) = problems(tmp_path, one=DECLARES.replace("serverAuth", "serverAuth, clientAuth"))
    assert (role, line) == ("one", 3)
    assert "for servers or for clients" in message


def test_a_service_presents_a_certificate_for_servers(tmp_path: Path) -> None:
    offers = DECLARES + "services:\n" + WEB % ", presents: node"
    assert problems(tmp_path / "good", one=offers) == []
    ((role, line, message, _),) = problems(tmp_path / "bad", one=offers.replace("serverAuth", "clientAuth"))
    assert (role, line) == ("one", 5)
    assert "presents profile node, which is declared for no server" in message


def test_two_roles_may_offer_a_service_on_different_ports(tmp_path: Path) -> None:
    one = "summary: A\nservices:\n" + WEB % ""
    assert problems(tmp_path, one=one, two=one.replace("443", "8443")) == []


@pytest.mark.parametrize(
    "part",
    [
        "line: {colour: '#112233'}",
        "ae_titles: true",
        "provides: log-collection",
        "permits: {standard: X, words: {A: B}}",
    ],
)
def test_two_roles_whose_service_of_one_name_means_different_things_are_reported(tmp_path: Path, part: str) -> None:
    one, two = ("summary: A\nservices:\n" + WEB % more for more in ("", f", {part}"))
    ((role, line, message, _),) = problems(tmp_path, one=one, two=two)
    assert (role, line) == ("two", 3)
    assert f"differ in its {part.partition(':')[0]}" in message


def test_what_a_service_takes_can_be_asked(tmp_path: Path) -> None:
    assert problems(tmp_path, one=TAKES, two="summary: B\nasks:\n  web: {paths: [/a]}\n") == []


def test_what_a_service_does_not_take_is_reported_with_what_it_takes(tmp_path: Path) -> None:
    ((role, line, message, remedy),) = problems(tmp_path, one=TAKES, two="summary: B\nasks:\n  web: {path: [/a]}\n")
    assert (role, line) == ("two", 3)
    assert "asks path of web" in message
    assert "Did you mean paths?" in remedy


def test_a_service_that_no_role_offers_cannot_be_asked(tmp_path: Path) -> None:
    ((role, _, message, remedy),) = problems(tmp_path, one=TAKES, two="summary: B\nasks:\n  wbe: {}\n")
    assert (role, "which no role offers" in message, "web" in remedy) == ("two", True, True)


def test_a_secret_has_one_owner(tmp_path: Path) -> None:
    text = "summary: A\nsecrets: {a_password: For the web}\n"
    ((role, line, message, _),) = problems(tmp_path, one=text, two=text)
    assert (role, line) == ("two", 2)
    assert "both declare secret a_password" in message


def test_a_secret_is_of_hosts_or_of_people(tmp_path: Path) -> None:
    text = "summary: A\nsecrets: {a_password: For the web}\n"
    of_people = "summary: B\nsecrets_of_people:\n  a_password: {kind: password, purpose: For the web}\n"
    ((role, line, message, _),) = problems(tmp_path / "two", one=text, two=of_people)
    assert (role, line, "both declare secret a_password" in message) == ("two", 3, True)
    ((_, _, message, _),) = problems(tmp_path / "one", one=text + of_people.partition("\n")[2])
    assert "one of hosts or one of people: a_password" in message


def test_people_have_one_secret_of_a_kind(tmp_path: Path) -> None:
    text = "summary: A\nsecrets_of_people:\n  %s: {kind: password, purpose: To sign in}\n"
    ((role, line, message, remedy),) = problems(tmp_path, one=text % "first", two=text % "second")
    assert (role, line) == ("two", 3)
    assert "first and second are both a password" in message
    assert "trust_secrets.first" in remedy


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("permits: {standard: X}", "either words, or a pattern"),
        ("permits: {standard: X, pattern: a}", "either words, or a pattern"),
        ("line: {colour: red}", "'red' cannot stand here"),
    ],
)
def test_a_service_that_cannot_be_what_it_says_is_reported(tmp_path: Path, text: str, message: str) -> None:
    ((role, line, said, _),) = problems(tmp_path, one="summary: A\nservices:\n" + WEB % f", {text}")
    assert (role, line) == ("one", 3)
    assert message in said
