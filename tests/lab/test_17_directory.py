"""People sign in at the directory with their own password, who guesses is locked out, and clocks are compared."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from lab.deadline import wait_until
from lab.hospital.collected import Collected
from lab.hospital.directory import Directory
from lab.trust.secrets import read_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

INVALID_CREDENTIALS = 49  # RFC 4511 4.1.9
WRONG_PASSWORD, LOCKED = "data 52e", "data 775"
PERSON, OTHER = "j.novak", "d.weiss"
CONFIGURATION = "/etc/chrony/chrony.conf"


@pytest.fixture(scope="module")
def directory(clone: Lab) -> Directory:
    """The clone's directory."""
    return Directory.of(clone)


@pytest.fixture(scope="module")
def passwords(clone: Lab) -> dict[str, str]:
    """What the lab made for each person."""
    return read_secrets(clone.folder)["person_password"]


@pytest.fixture
def opened_again(clone: Lab, directory: Directory) -> Iterator[None]:
    """Opens the account that a test has locked."""
    yield
    assert clone.run(directory.host, ["samba-tool", "user", "unlock", OTHER]).code == 0


def test_a_person_signs_in_with_the_password_that_the_lab_made(
    clone: Lab, directory: Directory, passwords: dict[str, str]
) -> None:
    mark = Collected(clone).mark(directory.host)
    assert directory.sign_in(PERSON, passwords[PERSON]).code == 0
    event = Collected(clone).wait(
        directory.host, mark, timeout=20, program="pacslab-directory", action="sign-in", person=PERSON
    )
    assert event is not None
    assert event["data"]["outcome"] == "success"


def test_a_wrong_password_is_refused_and_on_record_with_person_and_caller(clone: Lab, directory: Directory) -> None:
    mark = Collected(clone).mark(directory.host)
    answer = directory.sign_in(PERSON, "not the password")
    assert (answer.code, WRONG_PASSWORD in answer.said) == (INVALID_CREDENTIALS, True), answer.said
    event = Collected(clone).wait(
        directory.host, mark, timeout=20, action="sign-in", reason="wrong-password", person=PERSON
    )
    assert event is not None
    own = str(clone.site.hosts[directory.host].address)
    assert event["data"]["peer"] == (own if directory.caller == directory.host else directory.caller)


@pytest.mark.usefixtures("opened_again")
def test_who_guesses_is_locked_out_and_so_is_the_right_password(
    clone: Lab, directory: Directory, passwords: dict[str, str]
) -> None:
    mark = Collected(clone).mark(directory.host)
    for guess in range(5):
        assert WRONG_PASSWORD in directory.sign_in(OTHER, f"a guess, number {guess}").said
    answer = directory.sign_in(OTHER, passwords[OTHER])
    assert (answer.code, LOCKED in answer.said) == (INVALID_CREDENTIALS, True), answer.said
    locked: tuple[dict[str, Any], ...] = (
        {"action": "lock-account", "account": OTHER},
        {"reason": "account-locked", "person": OTHER},
    )
    for keys in locked:
        assert Collected(clone).wait(directory.host, mark, timeout=20, **keys) is not None, keys
    assert directory.sign_in(PERSON, passwords[PERSON]).code == 0, "nobody else is locked out"


def test_no_password_of_anybody_is_in_the_log(clone: Lab, directory: Directory, passwords: dict[str, str]) -> None:
    log = clone.run(directory.host, ["journalctl", "--no-pager", "--output=cat"]).stdout
    assert PERSON in log
    assert not [name for name, password in passwords.items() if password in log]


def test_hosts_know_each_other_while_the_name_server_is_down(clone: Lab, directory: Directory) -> None:
    host = next(
        name for name in clone.site.managed if name != directory.host and "trust" in clone.site.hosts[name].roles
    )
    known, found_by_asking = f"{directory.host}.{clone.site.topology.domain}", f"{clone.site.hosts[host].address}"
    reverse = ["getent", "hosts", found_by_asking]
    assert clone.run(host, reverse).code == 0
    assert clone.run(directory.host, ["systemctl", "stop", "nsd.service"]).code == 0
    try:
        assert clone.run(host, ["timeout", "0.5", "getent", "ahostsv4", known]).code == 0
        lookup = ["timeout", "3.5", "getent", "ahosts", f"unheard-of.{clone.site.topology.domain}"]
        assert clone.run(host, lookup).code == 2, "not found, within two seconds"
    finally:
        assert clone.run(directory.host, ["systemctl", "start", "nsd.service"]).code == 0


def test_a_clock_that_is_off_makes_its_host_unhealthy_by_name(clone: Lab) -> None:
    host = next(flow.source for flow in clone.site.flows if flow.service == "nts-ke")

    def complaint() -> str:
        """What the host says of its clock; nothing while all is well."""
        services = {service.name: service for service in clone.health()[host].services}
        return "" if services["clock"].healthy else services["clock"].detail

    def measured() -> bool:
        return "Normal" in clone.run(host, ["chronyc", "-c", "tracking"]).stdout

    assert complaint() == ""
    off = f"cp -a {CONFIGURATION} /run/kept && sed -i 's/^server .*/& offset 2.5/' {CONFIGURATION}"
    try:
        assert clone.run(host, ["sh", "-c", f"{off} && systemctl restart chrony"]).code == 0
        assert re.search(r"the clock is off by 2\.[45]\d* s against", wait_until(complaint, 60, 0.5))
    finally:
        assert clone.run(host, ["sh", "-c", f"mv /run/kept {CONFIGURATION}; systemctl restart chrony"]).code == 0
    assert wait_until(measured, 60, 0.5)
    assert wait_until(lambda: clone.health()[host].healthy, 60, 0.5)
