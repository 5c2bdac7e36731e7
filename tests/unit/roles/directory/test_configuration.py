"""What the directory's host is told follows from the site: its people, who may ask, and nothing open beside."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.access.policy import load_policy
from tests.unit.roles.rendered import REFERENCE, files_of

if TYPE_CHECKING:
    from lab.topology.site import Site

HOST = "dc1"
FILES = files_of(REFERENCE, HOST, "directory")


def settings(site: Site = REFERENCE) -> dict[str, object]:
    found: dict[str, object] = json.loads(files_of(site, HOST, "directory")["/etc/pacslab/directory.json"].text)
    return found


def test_everybody_of_the_site_is_there_with_the_labs_password() -> None:
    people = settings()["people"]
    assert isinstance(people, dict)
    assert people.keys() == REFERENCE.topology.people.keys()
    assert people["j.novak"]["family"] == "Novák"
    assert people["j.novak"]["password"] == "secret-of-j.novak"  # noqa: S105 # the stand-in for one


def test_the_roles_are_the_policys() -> None:
    assert settings()["roles"] == {name: role.title for name, role in load_policy().roles.items()}


def test_passwords_are_for_root_alone_and_never_shown() -> None:
    file = FILES["/etc/pacslab/directory.json"]
    assert (file.mode, file.owner, file.secret) == ("0600", "root", True)
    assert not [path for path, other in FILES.items() if other is not file and "secret-of" in other.text]


def test_the_account_of_the_sign_on_is_open_where_a_flow_lets_somebody_ask() -> None:
    def enabled(site: Site) -> bool:
        services = settings(site)["services"]
        assert isinstance(services, dict)
        return bool(services["svc-sso"]["enabled"])

    flow = REFERENCE.topology.flows[0].model_copy(update={"from_": "ris1", "to": HOST, "service": "ldaps"})
    rest = [entry for entry in REFERENCE.topology.flows if entry.service != "ldaps"]

    def with_flows(*flows: object) -> Site:
        return replace(REFERENCE, topology=REFERENCE.topology.model_copy(update={"flows": [*rest, *flows]}))

    assert not enabled(with_flows())
    assert enabled(with_flows(flow))


def test_the_directory_listens_at_its_address_alone_and_serves_nothing_beside() -> None:
    text = FILES["/etc/samba/smb.conf"].text
    assert "interfaces = 10.24.10.10\n" in text
    assert "realm = IMAGING.INTERNAL\n" in text
    assert "workgroup = IMAGING\n" in text
    assert "server services = ldap, kdc\n" in text


def test_a_callers_address_is_told_by_its_hosts_name() -> None:
    callers = json.loads(FILES["/etc/pacslab/directory-events.json"].text)["callers"]
    assert callers["10.24.10.11"] == "ca1"
