"""Exactly the declared flows connect, and a hole made by hand does not stay unnoticed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.engine.lab import Lab

CHAIN = ["inet", "filter", "forward"]


@pytest.fixture
def hole(clone: Lab) -> Iterator[None]:
    """A rule in the running firewall that lets the guest's device reach the archive."""
    guest, archive = (str(clone.site.hosts[name].address) for name in ("guest1", "pacs-rad"))
    port = str(clone.site.services("pacs-rad")["dicom-tls"].port)
    rule = ["ip", "saddr", guest, "ip", "daddr", archive, "tcp", "dport", port, "accept"]
    opened = clone.run("fw1", ["nft", "--echo", "--handle", "insert", "rule", *CHAIN, *rule])
    assert opened.code == 0, opened.stderr
    handle = opened.stdout.split("# handle ")[1].split()[0]
    yield
    assert clone.run("fw1", ["nft", "delete", "rule", *CHAIN, "handle", handle]).code == 0


def test_everything_is_as_declared_and_contained(lab: Lab) -> None:
    report = succeed("verify", "segmentation", "containment", "--lab", lab.name, "--json").json
    hosts = len(lab.site.hosts)
    assert report["failed"] == []
    assert report["passed"] == report["checked"] > hosts * (hosts - 1) * 5


@pytest.mark.night
@pytest.mark.usefixtures("hole")
def test_a_hole_in_the_running_firewall_is_found_and_named(clone: Lab) -> None:
    ran = pacslab("verify", "segmentation", "--lab", clone.name, "--json")
    assert ran.code == 1
    (found,) = ran.json["failed"]
    assert (found["id"], found["host"]) == ("segmentation.undeclared", "guest1")
    facts = found["facts"]
    assert (facts["source"], facts["target"], facts["zones"]) == ("guest1", "pacs-rad", "guest>pacs-core")
    assert facts["port"] == clone.site.services("pacs-rad")["dicom-tls"].port


def test_nothing_of_the_check_stays_on_the_machine(lab: Lab) -> None:
    assert lab.docker.containers("pacslab.part=sink") == []
    networks = lab.docker.call("GET", "/networks")
    assert [network["Name"] for network in networks if network["Name"].startswith("pacslab-")] == []
