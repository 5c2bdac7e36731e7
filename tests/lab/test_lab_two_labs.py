"""Two labs with the same addresses, side by side: each host reaches its own lab's hosts and never the other's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.engine.lab import Lab
from tests.lab_commands import succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.night
SITE = "small-practice"
FIRST, SECOND, KEPT = "test-two-a", "test-two-b", "test-two"
SERVER = "srv1"
SERVED = "/srv/pacslab/status/root.crl"
"""One of the files that the server gives to everybody; no host reads it, for crl.pem has both lists."""
FETCH = "import urllib.request as u; print(u.urlopen('http://{}/root.crl', timeout=3).read().decode())"


@pytest.fixture(scope="module")
def labs() -> Iterator[tuple[Lab, Lab]]:
    """A lab, and a second from its snapshot; the server of each serves the name of its lab."""
    try:
        succeed("up", "--site", SITE, "--lab", FIRST)
        succeed("snapshot", "save", KEPT, "--lab", FIRST)
        succeed("up", "--from", KEPT, "--lab", SECOND)
        both = Lab.open(FIRST), Lab.open(SECOND)
        for lab in both:
            lab.write(SERVER, SERVED, lab.name.encode())
        yield both
    finally:
        succeed("down", "--lab", SECOND)
        succeed("down", "--lab", FIRST)
        succeed("snapshot", "remove", KEPT)


def callers(lab: Lab) -> list[str]:
    """Hosts that may ask the server."""
    flows = [flow for flow in lab.site.flows if flow.target == SERVER and flow.service == "certificate-status"]
    return [flow.source for flow in flows if flow.source != SERVER]


def fetched(lab: Lab, host: str) -> str:
    """What the server answers to a host; nothing when it does not."""
    return lab.run(host, ["python3", "-c", FETCH.format(lab.site.hosts[SERVER].address)]).stdout.strip()


def test_both_have_the_same_addresses(labs: tuple[Lab, Lab]) -> None:
    first, second = (
        {
            host: lab.run(host, ["ip", "-4", "-oneline", "address"]).stdout.count(str(entry.address))
            for host, entry in lab.site.hosts.items()
        }
        for lab in labs
    )
    assert first == second
    assert all(first.values())


def test_the_same_question_is_answered_by_each_labs_own_server(labs: tuple[Lab, Lab]) -> None:
    for lab in labs:
        asked = callers(lab)
        assert len(asked) >= 4
        assert {host: fetched(lab, host) for host in asked} == dict.fromkeys(asked, lab.name)


def test_the_other_labs_server_does_not_answer_for_one_that_is_away(labs: tuple[Lab, Lab]) -> None:
    first, second = labs
    first.docker.stop(first.container(SERVER), 100)
    try:
        for host in callers(first):
            assert fetched(first, host) == ""
            assert fetched(second, host) == second.name
    finally:
        succeed("up", "--lab", FIRST)


def test_no_host_shares_a_network_with_the_other_labs_or_the_machines(labs: tuple[Lab, Lab]) -> None:
    found = [lab.run(host, ["readlink", "/proc/self/ns/net"]).stdout for lab in labs for host in lab.site.hosts]
    assert len(set(found)) == len(found) == len(labs[0].site.hosts) * 2
