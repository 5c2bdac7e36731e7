"""Secrets are made once, kept private, and dropped with their host or person."""

from __future__ import annotations

import base64
import json
import stat
from typing import TYPE_CHECKING

import pytest

from lab.state_file import DamagedFileError
from lab.trust import ensure_secrets
from tests.unit.lab.trust.sites import tiny_site
from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site


def site_with_people(*people: str, roles: tuple[str, ...] = ("directory",)) -> Site:
    person = {"given": "A", "family": "B", "department": "C", "roles": ["radiologist"]}
    return build_site(
        {
            "site": "staffed",
            "zones": {"core": {"vlan": 10, "subnet": "10.0.10.0/24", "purpose": "Servers"}},
            "hosts": {"dc1": {"zone": "core", "address": "10.0.10.10", "roles": list(roles)}},
            "people": dict.fromkeys(people, person),
            "flows": [{"from": "dc1", "to": "dc1", "service": "none", "why": "none"}],
        },
        {
            "base": {"summary": "Every host"},
            "directory": {
                "summary": "Knows people",
                "secrets_of_people": {
                    "person_password": {"purpose": "To sign in"},
                    "person_seed": {"purpose": "One-time passwords", "form": "base32"},
                },
            },
        },
    )


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


def test_each_person_has_secrets_of_their_own(tmp_path: Path) -> None:
    found = ensure_secrets(site_with_people("a.rivera", "t.berg"), tmp_path)
    assert list(found["person_password"]) == ["a.rivera", "t.berg"]
    assert len({*found["person_password"].values(), *found["person_seed"].values()}) == 4
    assert all(len(password) >= 32 for password in found["person_password"].values())


def test_a_seed_is_what_authenticators_take(tmp_path: Path) -> None:
    for seed in ensure_secrets(site_with_people("a.rivera"), tmp_path)["person_seed"].values():
        assert len(base64.b32decode(seed)) == 20


def test_who_leaves_loses_the_secrets_and_others_keep_theirs(tmp_path: Path) -> None:
    before = ensure_secrets(site_with_people("a.rivera", "t.berg"), tmp_path)
    after = ensure_secrets(site_with_people("t.berg"), tmp_path)
    assert after["person_password"] == {"t.berg": before["person_password"]["t.berg"]}


def test_people_of_a_site_without_a_directory_have_no_secrets(tmp_path: Path) -> None:
    assert ensure_secrets(site_with_people("a.rivera", roles=("base",)), tmp_path)["person_password"] == {}


def test_secrets_are_for_their_owner_alone(tmp_path: Path) -> None:
    ensure_secrets(tiny_site(), tmp_path)
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["nonsense", json.dumps([1]), json.dumps({"orthanc_http": 1})])
def test_a_damaged_file_is_an_error_and_not_a_new_start(tmp_path: Path, text: str) -> None:
    (tmp_path / "secrets.json").write_text(text)
    with pytest.raises(DamagedFileError, match=r"secrets\.json"):
        ensure_secrets(tiny_site(), tmp_path)
