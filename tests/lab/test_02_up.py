"""``up`` adds what a lab lacks and nothing else, whatever happened to it, and to itself, before."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab.engine.hosts import observe
from lab.hospital.hospital import Hospital
from lab.hospital.signed_in import person_for, run_as
from tests.lab_commands import pacslab, succeed

if TYPE_CHECKING:
    from lab.engine.lab import Lab


def identities(lab: Lab) -> dict[str, tuple[str, int]]:
    """Container and first process of every host: both change when something was made or started again."""
    return {host: (running.id, running.pid) for host, running in observe(lab.docker, lab.name).items()}


RUNNING = "systemctl list-units --type=service --state=running --plain --no-legend | cut -d ' ' -f 1"


def invocations(lab: Lab) -> dict[str, set[str]]:
    """Each running service of each host, with the id that it gets whenever it is started."""
    script = (
        f'for unit in $({RUNNING}); do echo "$unit $(systemctl show --property=InvocationID --value "$unit")"; done'
    )
    return {host: set(lab.run(host, ["sh", "-c", script]).stdout.splitlines()) for host in lab.site.hosts}


def events_of_last_up(lab: Lab) -> list[dict[str, Any]]:
    """What the last ``up`` wrote into the lab's log of events."""
    events = [json.loads(line) for line in (lab.folder / "run.jsonl").read_text("utf-8").splitlines()]
    began = max(
        number
        for number, event in enumerate(events)
        if (event["event"], event.get("stage")) == ("stage_started", "machine")
    )
    return events[began:]


def test_a_second_up_changes_nothing(clone: Lab) -> None:
    before = identities(clone)
    ran = succeed("up", "--lab", clone.name, "--json")
    assert identities(clone) == before
    assert all(host["healthy"] for host in ran.json["hosts"])


@pytest.mark.night
def test_up_again_configures_every_host_and_nothing_is_changed_by_it(clone: Lab) -> None:
    """What a host was configured from has not changed, so no file may, and no service may be started again."""
    before = invocations(clone)
    succeed("up", "--again", "--lab", clone.name)
    changed = [event for event in events_of_last_up(clone) if event["event"] == "task_finished"]
    assert {event["host"] for event in changed} == set(clone.site.hosts)
    assert [event for event in changed if event["status"] == "changed"] == []
    after = invocations(clone)
    assert {host: before[host] - after[host] for host in before if before[host] - after[host]} == {}


def test_a_host_that_was_removed_comes_back_alone(clone: Lab) -> None:
    before = identities(clone)
    clone.docker.remove(clone.container("mr1"))
    succeed("up", "--lab", clone.name)
    after = identities(clone)
    assert {host for host in before if before[host] != after[host]} == {"mr1"}


@pytest.mark.night
def test_a_host_that_is_made_anew_keeps_its_data(clone: Lab) -> None:
    """A database's and an archive's container are replaced, because they may take more memory."""
    patient = ["--family", "Kept", "--given", "Patient", "--birth-date", "19700101", "--sex", "O", "--id", "KEPT"]
    registrar = person_for(clone.site, "ehr1", "register-patient")
    assert run_as(Hospital(clone), "ehr1", ["pacslab-ehr", "register", *patient], registrar).code == 0
    image = "/var/lib/orthanc/storage/kept"
    assert clone.run("pacs-rad", ["install", "-o", "orthanc", "-m", "600", "/etc/hostname", image]).code == 0
    before = identities(clone)
    topology = Path(clone.record.topology)
    described = topology.read_text("utf-8")
    site = yaml.safe_load(described)
    for host in ("db1", "pacs-rad"):
        site["hosts"][host]["memory"] = clone.site.memory(host).most + 8
    try:
        topology.write_text(yaml.safe_dump(site, sort_keys=False), "utf-8")
        succeed("up", "--lab", clone.name)
        after = identities(clone)
        assert {host for host in before if before[host][0] != after[host][0]} == {"db1", "pacs-rad"}
        assert "KEPT" in clone.run("ehr1", ["pacslab-ehr", "patients"]).stdout
        assert clone.run("pacs-rad", ["stat", "--format=%U %a", image]).stdout == "orthanc 600\n"
        assert clone.run("pacs-rad", ["cat", image]).stdout == "pacs-rad\n"
    finally:
        topology.write_text(described, "utf-8")
        clone.run("pacs-rad", ["rm", image])
        succeed("up", "--lab", clone.name)


def test_the_firewalls_rules_are_there_again_after_it_was_stopped(clone: Lab) -> None:
    chain = ["nft", "list", "chain", "inet", "filter", "forward"]
    before = clone.run("fw1", chain).stdout
    assert "policy drop" in before
    clone.docker.stop(clone.container("fw1"), 30)
    succeed("up", "--lab", clone.name)
    assert clone.run("fw1", chain).stdout == before


@pytest.mark.parametrize(
    "seconds", [pytest.param(0.5, marks=pytest.mark.night), 2.0, pytest.param(5.0, marks=pytest.mark.night)]
)
def test_up_goes_on_after_it_was_killed(clone: Lab, seconds: float) -> None:
    clone.docker.remove(clone.container("us1"))
    argv = [sys.executable, "-m", "lab.cli.main", "up", "--lab", clone.name]
    killed = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)  # the point in time is what is tried
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    succeed("up", "--lab", clone.name)


@pytest.mark.night
def test_a_host_that_never_gets_healthy_ends_up_with_3_and_is_named_with_its_remedy(clone: Lab) -> None:
    program, away = "/usr/sbin/Orthanc", "/usr/sbin/Orthanc.away"
    assert clone.run("vna1", ["mv", program, away]).code == 0
    clone.run("vna1", ["systemctl", "restart", "orthanc.service"])
    try:
        while pacslab("status", "--lab", clone.name).code == 0:  # its last good report may be some seconds old
            time.sleep(0.5)
        ran = pacslab("up", "--lab", clone.name, "--timeout", "10", "--json")
        assert ran.code == 3
        assert ran.seconds < 90
        (failure,) = ran.json["failures"]
        assert failure["host"] == "vna1"
        assert failure["service"] in {"dicom", "http"}
        assert failure["detail"]
        assert "orthanc" in failure["remedy"]
    finally:
        clone.run("vna1", ["mv", away, program])
        clone.run("vna1", ["systemctl", "restart", "orthanc.service"])
    succeed("up", "--lab", clone.name)
