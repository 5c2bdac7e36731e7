"""``up`` adds what a lab lacks and nothing else, whatever happened to it, and to itself, before."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from lab.engine.hosts import observe
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab


def identities(lab: Lab) -> dict[str, tuple[str, int]]:
    """Container and first process of every host: both change when something was made or started anew."""
    return {host: (one.id, one.pid) for host, one in observe(lab.docker, lab.name).items()}


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    before = identities(lab)
    ran = succeed("up", "--lab", lab.name, "--json")
    assert identities(lab) == before
    assert all(host["healthy"] for host in ran.json["hosts"])


def test_a_host_that_was_removed_comes_back_alone(lab: Lab) -> None:
    before = identities(lab)
    lab.docker.remove(lab.container("mr1"))
    succeed("up", "--lab", lab.name)
    after = identities(lab)
    assert {host for host in before if before[host] != after[host]} == {"mr1"}


def test_the_firewalls_rules_are_there_again_after_it_was_stopped(lab: Lab) -> None:
    chain = ["nft", "list", "chain", "inet", "filter", "forward"]
    before = lab.run("fw1", chain).stdout
    assert "policy drop" in before
    lab.docker.stop(lab.container("fw1"), 30)
    succeed("up", "--lab", lab.name)
    assert lab.run("fw1", chain).stdout == before


def test_up_goes_on_after_it_was_killed(lab: Lab) -> None:
    for seconds in (0.5, 2.0, 5.0):
        lab.docker.remove(lab.container("us1"))
        argv = [sys.executable, "-m", "lab.cli.main", "up", "--lab", lab.name]
        killed = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(seconds)  # the point in time is what is tried
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        succeed("up", "--lab", lab.name)


def test_a_host_that_never_gets_healthy_ends_up_with_3_and_is_named_with_its_remedy(lab: Lab) -> None:
    program, away = "/usr/sbin/Orthanc", "/usr/sbin/Orthanc.away"
    assert lab.run("vna1", ["mv", program, away]).code == 0
    lab.run("vna1", ["systemctl", "restart", "orthanc.service"])
    try:
        while pacslab("status", "--lab", lab.name).code == 0:  # its last good report may be some seconds old
            time.sleep(0.5)
        ran = pacslab("up", "--lab", lab.name, "--timeout", "10", "--json")
        assert ran.code == 3
        assert ran.seconds < 90
        (failure,) = ran.json["failures"]
        assert failure["host"] == "vna1"
        assert failure["service"] in {"dicom", "http"}
        assert failure["detail"]
        assert "orthanc" in failure["remedy"]
    finally:
        lab.run("vna1", ["mv", away, program])
        lab.run("vna1", ["systemctl", "restart", "orthanc.service"])
    succeed("up", "--lab", lab.name)
