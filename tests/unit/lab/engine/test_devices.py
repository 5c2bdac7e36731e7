"""Containers of foreign devices: what Docker is told of a place, of a user's image, and of one beside a shim."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from lab.engine import names
from lab.engine.device_spec import bundle_folder, described_specs
from lab.engine.health import judge_device
from lab.engine.knock import connect
from lab.engine.record import LabRecord
from lab.engine.spec import Cgroups
from lab.topology.model import Device
from lab.topology.site import Site
from tests.unit.site_builder import committed_site

SITE = committed_site("third-party-devices")
FOLDER = Path("/state/lab")
IMAGE = Device(image="vendor/archive:1", command=["serve"], environment={"B": "2", "A": "1"}, bundle="/etc/tls")


def with_device(host: str, device: Device | None) -> Site:
    """The site with another device at a host."""
    hosts = {**SITE.hosts, host: SITE.hosts[host].model_copy(update={"device": device})}
    return Site(SITE.topology.model_copy(update={"hosts": hosts}), SITE.catalog, SITE.path)


def bodies(site: Site, **more: str) -> dict[str, Any]:
    """What Docker is told of each container; every host of ours has the image ``ours``."""
    images = {**dict.fromkeys(site.managed, "ours"), names.FABRIC: "base", **more}
    specs = described_specs("x", site, images, Cgroups(1), FOLDER)
    return {host: spec.body for host, spec in specs.items()}


def test_a_place_holds_a_network_and_can_do_nothing() -> None:
    place = bodies(SITE)["ct9"]
    assert (place["Image"], place["Entrypoint"], place["Cmd"]) == ("base", ["sleep", "infinity"], [])
    config = place["HostConfig"]
    assert (config["NetworkMode"], config["CapDrop"], config["ReadonlyRootfs"]) == ("none", ["ALL"], True)
    assert "CapAdd" not in config
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert "ris1.devices.internal:192.168.16.20" in config["ExtraHosts"]


def test_an_image_runs_as_its_user_gave_it_with_no_network_but_its_zone() -> None:
    device = bodies(with_device("vna9", IMAGE), vna9="sha256:theirs")["vna9"]
    assert (device["Image"], device["Cmd"], device["Env"]) == ("sha256:theirs", ["serve"], ["A=1", "B=2"])
    assert "Entrypoint" not in device
    config = device["HostConfig"]
    assert config["NetworkMode"] == "none"
    assert config["SecurityOpt"] == ["no-new-privileges"]
    assert not {"Privileged", "CapAdd", "Devices", "PidMode"} & config.keys()
    assert config["Binds"] == [f"{bundle_folder(FOLDER, 'vna9')}:/etc/tls:ro"]


def test_an_image_without_a_bundle_sees_no_file_of_the_machine() -> None:
    assert "Binds" not in bodies(with_device("vna9", Device(image="x")), vna9="sha256:1")["vna9"]["HostConfig"]


def test_behind_a_shim_the_image_shares_the_network_of_the_hosts_container_which_has_its_roles() -> None:
    found = bodies(with_device("us9", Device(image="x", shim=True)), **{"us9.device": "sha256:1"})
    assert found["us9"]["Image"] == "ours"
    assert "/sbin/init" in found["us9"]["Cmd"][-1]
    beside = found["us9.device"]
    assert beside["HostConfig"]["NetworkMode"] == "container:pacslab-x-us9"
    assert beside["Labels"][names.HOST] == "us9.device"
    assert not {"ExtraHosts", "Sysctls", "Dns"} & beside["HostConfig"].keys()  # Docker refuses them beside another


def test_a_changed_device_makes_its_container_anew_and_no_other() -> None:
    def digests(site: Site) -> dict[str, str]:
        images = {**dict.fromkeys(site.managed, "ours"), names.FABRIC: "base", "vna9": "sha256:1"}
        return {host: spec.digest for host, spec in described_specs("x", site, images, Cgroups(1), FOLDER).items()}

    before = digests(with_device("vna9", Device(image="x")))
    after = digests(with_device("vna9", Device(image="x", environment={"TZ": "UTC"})))
    assert {host for host in before if before[host] != after[host]} == {"vna9"}


def test_the_record_says_which_ports_of_an_image_are_asked_and_none_of_a_place() -> None:
    record = LabRecord.describe("x", with_device("vna9", Device(image="x"))).hosts
    assert record["vna9"].ports == {"dicom-tls": 2762}
    assert record["vna9"].services == ["dicom-tls"]
    assert (record["ct9"].ports, record["ct9"].services) == ({}, [])
    assert record["us9"].ports is None
    assert not record["us9"].beside
    assert LabRecord.describe("x", with_device("us9", Device(image="x", shim=True))).hosts["us9"].beside


@pytest.mark.parametrize(
    ("state", "answers", "healthy"),
    [
        ("running", {"dicom-tls": ""}, True),
        ("running", {"dicom-tls": "port 2762 takes no connection: Connection refused"}, False),
        ("running", {}, False),
        ("running", None, False),
        ("exited", {"dicom-tls": ""}, False),
    ],
)
def test_a_device_is_healthy_while_it_runs_and_each_service_takes_connections(
    state: str,
    answers: dict[str, str] | None,
    healthy: bool,  # noqa: FBT001 # a parameter of the test
) -> None:
    found = judge_device(state, ["dicom-tls"], answers, 1000.0)
    assert found.healthy is healthy
    assert healthy or "".join(found.first_failure())


def test_a_connection_that_is_taken_leaves_nothing_to_say_and_another_its_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert connect("127.0.0.1", port) == ""
    assert connect("127.0.0.1", port) == f"port {port} takes no connection: Connection refused"
