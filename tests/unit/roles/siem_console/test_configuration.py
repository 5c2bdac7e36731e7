"""The web server asks for the roles that the policy says, tells the service who asks, and has nothing else open."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING

import pytest

from lab.access.policy import load_policy
from lab.topology.catalog import ROLES_DIR
from lab.topology.load import TRIALS_DIR
from simulators.access import policy, subject
from simulators.siem.console import site
from simulators.siem.console.application import HEAD, SIGN_OUT
from tests.unit.roles.rendered import files_of
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

MONITORING = committed_site("monitoring", TRIALS_DIR)
POLICY = load_policy()
ROLE = ROLES_DIR / "siem_console"


@cache
def text_of(path: str) -> str:
    return files_of(MONITORING, "srv1", "siem_console")[path].text


def configuration() -> str:
    return text_of("/etc/apache2/apache2.conf")


def roles_that_may(*actions: str) -> set[str]:
    return {name for name, role in POLICY.roles.items() if set(actions) & set(role.may)}


def required(method: str) -> set[str]:
    """The roles that requests with this method need."""
    found = re.search(rf"Require method {method}\n(.*?)</RequireAll>", configuration(), re.DOTALL)
    assert found is not None, method
    return set(re.findall(r"Require claim groups:(\S+)", found[1]))


def test_pages_are_for_the_roles_that_may_do_something_there() -> None:
    assert required("GET") == roles_that_may("see-collection", "read-events", "read-audit")
    assert required("POST") == roles_that_may("handle-incidents")
    assert re.findall(r"Require method (.*)", configuration()) == ["GET", "POST"]
    assert not {"radiologist", "vendor", "service-desk"} & set(re.findall(r"groups:(\S+)", configuration()))


@pytest.mark.parametrize("header", [subject.PERSON, subject.ROLES, subject.SESSION, subject.ADDRESS])
def test_what_the_service_believes_comes_from_the_web_server_alone(header: str) -> None:
    text = configuration()
    assert f"RequestHeader unset {header} early\n" in text
    assert len(re.findall(rf"RequestHeader set {header} expr=\S+\n", text)) == 1


@pytest.mark.parametrize(
    ("path", "told"),
    [("/", True), ("/events", True), ("/signed-outside", True), ("/pages/x", False), ("/sign-on/x", False)],
)
def test_who_asks_is_told_wherever_the_service_answers(path: str, told: bool) -> None:  # noqa: FBT001
    (where,) = re.findall(r'<LocationMatch "(.*)">\n\s*RequestHeader set X-Pacslab-Person', configuration())
    assert bool(re.match(where, path)) == told


def test_the_server_says_of_pages_what_the_service_says() -> None:
    text = configuration()
    for name, value in HEAD.items():
        told = re.findall(rf'Header always set {name} "?(.*?)"?\n', text)
        assert told == [value], name
        assert f"Header onsuccess unset {name}\n" in text


def test_the_service_reads_its_site_and_the_policy_as_they_are_written(tmp_path: Path) -> None:
    for name in ("console.json", "console-access.json"):
        (tmp_path / name).write_text(text_of(f"/etc/pacslab/{name}"))
    known = site.load(tmp_path / "console.json")
    assert known.origin == "https://srv1.monitoring.internal"
    assert set(known.senders) == {"gw1", "dc1", "idp1", "mail1", "pc1"}
    assert {host.name for zone in known.zones for host in zone.hosts} == set(MONITORING.hosts)
    allowed = policy.load(tmp_path / "console-access.json")
    assert {name: dict(role.may) for name, role in POLICY.roles.items()} == json.loads(
        (tmp_path / "console-access.json").read_text()
    )["roles"]
    assert allowed.scope(["privacy-officer"], "read-audit") == "all"


def test_who_signs_out_may_be_sent_to_the_page_that_says_so() -> None:
    origin = "https://srv1.monitoring.internal"
    (allowed,) = re.findall(r"OIDCRedirectURLsAllowed (.*)", configuration())
    assert re.match(allowed, SIGN_OUT.format(origin).partition("logout=")[2])


def test_the_service_has_no_network_no_key_and_no_right() -> None:
    unit = (ROLE / "files/pacslab-console.service").read_text()
    for line in (
        "PrivateNetwork=yes",
        "RestrictAddressFamilies=AF_UNIX",
        "CapabilityBoundingSet=",
        "NoNewPrivileges=yes",
    ):
        assert f"\n{line}\n" in unit
    assert "/etc/pacslab/tls" in re.findall(r"InaccessiblePaths=(.*)", unit)[0].split()
    socket = (ROLE / "files/pacslab-console.socket").read_text()
    assert re.findall(r"^Socket(?:User|Group|Mode)=(.*)$", socket, re.MULTILINE) == ["root", "www-data", "0660"]
    path = re.findall(r"ListenStream=(\S+)", socket)[0]
    assert f"ProxyPass unix:{path}|http://console/ " in configuration()


def test_secrets_are_kept_from_other_users_and_from_ansibles_output() -> None:
    file = files_of(MONITORING, "srv1", "siem_console")["/etc/apache2/apache2.conf"]
    assert (file.mode, file.secret) == ("0600", True)
    assert "secret-of-srv1" in file.text
