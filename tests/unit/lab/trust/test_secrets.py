"""Secrets are made once, kept private, and dropped with their host or person."""

from __future__ import annotations

import json
import stat
from base64 import b32decode
from typing import TYPE_CHECKING, Literal

import pytest

from lab.errors import UsageError
from lab.state_file import DamagedFileError
from lab.trust import ensure_secrets
from lab.trust.personal import personal_secret
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

PEOPLE = {
    name: {"given": "A", "family": "B", "department": "C", "roles": ["radiologist"], "second_factor": factor}
    for name, factor in (("ana", "one-time-password"), ("ben", "security-key"))
}
PERSONAL = {
    "summary": "Knows people",
    "secrets_of_people": {
        f"of_{kind.replace('-', '_')}": {"kind": kind, "purpose": "To sign in"}
        for kind in ("password", "one-time-password", "security-key")
    },
}


def site_with_people(*, without: str | None = None, role: str = "directory") -> Site:
    """A site with two people, whose one host has the role that makes their secrets, or another."""
    people = {name: person for name, person in PEOPLE.items() if name != without}
    hosts = {"dc1": {"zone": "core", "address": "10.0.10.1", "gateway": True, "roles": [role]}}
    zones = {"core": {"vlan": 10, "subnet": "10.0.10.0/24", "purpose": "Servers"}}
    flows = [{"from": "dc1", "to": "dc1", "service": "none", "why": "None"}]
    description = {"site": "tiny", "zones": zones, "hosts": hosts, "people": people, "flows": flows}
    return build_site(description, {"directory": PERSONAL, "other": {"summary": "Knows nobody"}})


def test_a_secret_is_made_for_each_host_of_the_role(tmp_path: Path) -> None:
    found = ensure_secrets(tiny_site(), tmp_path)
    assert list(found["orthanc_http"]) == ["pacs1"]
    assert len(found["orthanc_http"]["pacs1"]) >= 32


def test_a_secret_stays_what_it_is(tmp_path: Path) -> None:
    assert ensure_secrets(tiny_site(), tmp_path) == ensure_secrets(tiny_site(), tmp_path)


def test_the_secret_of_a_removed_host_is_dropped(tmp_path: Path) -> None:
    ensure_secrets(tiny_site(), tmp_path)
    site = tiny_site(without="pacs1")
    assert ensure_secrets(site, tmp_path)["orthanc_http"] == {}
    assert "pacs1" not in (tmp_path / "secrets.json").read_text("utf-8")


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    ensure_secrets(tiny_site(), tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["nonsense", json.dumps([1]), json.dumps({"orthanc_http": 1})])
def test_a_damaged_file_is_an_error_and_not_a_new_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"secrets\.json"):
        ensure_secrets(tiny_site(), tmp_path)


def test_each_person_has_a_password_and_the_secret_of_the_own_second_factor(tmp_path: Path) -> None:
    found = ensure_secrets(site_with_people(), tmp_path)
    assert {name: list(owners) for name, owners in found.items()} == {
        "of_password": ["ana", "ben"],
        "of_one_time_password": ["ana"],
        "of_security_key": ["ben"],
    }
    assert ensure_secrets(site_with_people(), tmp_path) == found


def test_the_secrets_of_a_person_who_left_are_dropped(tmp_path: Path) -> None:
    before = ensure_secrets(site_with_people(), tmp_path)
    after = ensure_secrets(site_with_people(without="ben"), tmp_path)
    assert after["of_password"] == {"ana": before["of_password"]["ana"]}
    assert "ben" not in (tmp_path / "secrets.json").read_text("utf-8")


def test_nobody_has_a_secret_where_no_host_has_the_role(tmp_path: Path) -> None:
    assert not any(ensure_secrets(site_with_people(role="other"), tmp_path).values())


def test_a_password_has_what_directories_ask_for(tmp_path: Path) -> None:
    for number in range(50):
        password = ensure_secrets(site_with_people(), tmp_path / str(number))["of_password"]["ana"]
        groups = password.split("-")
        assert [len(group) for group in groups] == [4, 4, 4, 4]
        assert any(letter.islower() for letter in password)
        assert any(letter.isupper() for letter in password)
        assert any(letter.isdigit() for letter in password)
        assert not set(password) & set("aeiouAEIOU01lI")


def test_a_seed_is_as_long_as_rfc_4226_asks_for(tmp_path: Path) -> None:
    assert len(b32decode(ensure_secrets(site_with_people(), tmp_path)["of_one_time_password"]["ana"])) == 20


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("eve", "password", "Nobody"),
        ("ben", "one-time-password", "second factor is a security-key"),
        ("ana", "security-key", "second factor is a one-time-password"),
    ],
)
def test_what_a_person_does_not_have_is_an_error_that_says_so(
    tmp_path: Path, name: str, kind: Literal["one-time-password"], said: str
) -> None:
    ensure_secrets(site_with_people(), tmp_path)
    with pytest.raises(UsageError, match=said):
        personal_secret(site_with_people(), tmp_path, name, kind)


def test_before_a_lab_was_brought_up_it_has_no_passwords(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="has made no password for ana"):
        personal_secret(site_with_people(), tmp_path, "ana", "password")
    found = ensure_secrets(site_with_people(), tmp_path)
    assert personal_secret(site_with_people(), tmp_path, "ana", "password") == found["of_password"]["ana"]
