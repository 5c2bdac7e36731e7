"""How hosts boot: control groups of either version, and network settings that are stated once, in the roles."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab.engine import requirements
from lab.engine.keeping import PUT_BACK
from lab.engine.requirements import cgroups_of
from lab.engine.spec import Cgroups, host_spec
from lab.engine.sysctls import LAB, read_sysctls, sysctls_of
from lab.settings import ROOT
from lab.topology.load import site_names
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.client import Docker
    from lab.topology.site import Site

REFERENCE = committed_site("reference")
every_site = pytest.mark.parametrize("site", [committed_site(name) for name in site_names()], ids=site_names())


def body(version: int) -> dict[str, Any]:
    return host_spec("x", REFERENCE, "ct1", "image", Cgroups(version)).body


class Engine:
    """Stands in for Docker: says which version of control groups the machine has."""

    def __init__(self, version: str) -> None:
        """Keep what ``docker info`` is to say."""
        self.version = version

    def info(self) -> dict[str, str]:
        """What the engine says of itself."""
        return {"CgroupVersion": self.version}


@pytest.mark.parametrize("version", ["1", "2"])
def test_the_version_is_what_docker_says(version: str) -> None:
    assert cgroups_of(cast("Docker", Engine(version))) == Cgroups(int(version))


def test_on_version_1_systemd_gets_the_machines_hierarchy_and_is_told_to_use_it() -> None:
    made = body(1)
    assert made["HostConfig"]["CgroupnsMode"] == "host"
    assert made["HostConfig"]["Binds"] == ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]
    assert "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1" in made["Env"]
    assert "/sys/fs/cgroup" not in made["Cmd"][-1]


def test_on_version_2_a_host_gets_its_own_hierarchy_only_and_may_write_there() -> None:
    made = body(2)
    assert made["HostConfig"]["CgroupnsMode"] == "private"
    assert "Binds" not in made["HostConfig"]
    assert made["Env"] == ["container=docker"]
    assert "mount -o remount,bind,rw /sys/fs/cgroup" in made["Cmd"][-1].split(" && ")


@pytest.mark.parametrize("version", [1, 2])
def test_systemd_becomes_process_1_and_only_after_all_that_comes_before_has_worked(version: int) -> None:
    shell, option, script = body(version)["Cmd"]
    assert (shell, option) == ("/bin/sh", "-c")
    assert script.startswith(f"{PUT_BACK} && ")
    steps = script.removeprefix(PUT_BACK).split(" && ")
    assert steps[-1] == "exec /sbin/init"
    assert not set(";|&") & set("".join(steps))


@pytest.mark.parametrize("version", [1, 2])
def test_services_with_a_mount_namespace_of_their_own_see_what_is_mounted_later(version: int) -> None:
    assert "mount --make-rshared /" in body(version)["Cmd"][-1].split(" && ")


@pytest.mark.parametrize("version", [1, 2])
def test_settings_are_read_only_again_when_systemd_starts(version: int) -> None:
    steps = body(version)["Cmd"][-1].split(" && ")
    assert steps.index("mount -o remount,bind,ro /proc/sys") > steps.index("mount -o remount,bind,rw /proc/sys")


@pytest.mark.parametrize("version", [1, 2])
def test_no_host_is_privileged_on_either_version(version: int) -> None:
    config = body(version)["HostConfig"]
    assert "Privileged" not in config
    assert config["CapDrop"] == ["ALL"]


def settings_of(site: Site, host: str) -> dict[str, str]:
    found: dict[str, str] = host_spec("x", site, host, "image", Cgroups(1)).body["HostConfig"]["Sysctls"]
    return found


@every_site
def test_only_gateways_route_and_see_forged_sources_before_the_kernel_drops_them(site: Site) -> None:
    for name, host in site.managed.items():
        found = settings_of(site, name)
        forward, check = ("1", "0") if host.gateway else ("0", "1")
        assert found["net.ipv4.ip_forward"] == forward
        assert found["net.ipv4.conf.all.rp_filter"] == found["net.ipv4.conf.default.rp_filter"] == check


@every_site
def test_every_host_keeps_lines_of_log_that_come_at_once(site: Site) -> None:
    assert {settings_of(site, host)["net.unix.max_dgram_qlen"] for host in site.managed} == {"512"}


@every_site
def test_no_host_believes_redirects_or_source_routes_or_has_ipv6(site: Site) -> None:
    for host in site.managed:
        found = settings_of(site, host)
        for what in ("accept_redirects", "send_redirects", "accept_source_route"):
            assert found[f"net.ipv4.conf.all.{what}"] == found[f"net.ipv4.conf.default.{what}"] == "0"
        assert found.items() >= LAB.items()


def test_the_machines_own_settings_are_left_alone() -> None:
    everything = read_sysctls(ROOT / "roles" / "base" / "files" / "sysctl.conf")
    assert "kernel.kptr_restrict" in everything
    assert not [name for name in sysctls_of(["base"]) if not name.startswith("net.")]
    assert "net.core.bpf_jit_harden" not in sysctls_of(["base"])


def test_what_a_later_role_says_counts(tmp_path: Path) -> None:
    for role, value in (("one", "1"), ("two", "2")):
        (tmp_path / role / "files").mkdir(parents=True)
        text = f"# why\n; also a comment\n\nnet.ipv4.x = {value}\nkernel.y=1\n"
        (tmp_path / role / "files" / "sysctl.conf").write_text(text)
    assert sysctls_of(["one", "two", "three"], tmp_path)["net.ipv4.x"] == "2"
    assert sysctls_of(["two", "one"], tmp_path)["net.ipv4.x"] == "1"
    assert "kernel.y" not in sysctls_of(["one"], tmp_path)


def test_a_host_can_do_what_its_roles_need_and_no_more() -> None:
    for name, host in REFERENCE.hosts.items():
        config = host_spec("x", REFERENCE, name, "image", Cgroups(2)).body["HostConfig"]
        needed = {capability for role in host.roles for capability in REFERENCE.catalog[role].capabilities}
        assert config["CapDrop"] == ["ALL"]
        assert config["CapAdd"] == sorted(needed)


def test_hosts_with_fewer_roles_can_do_less() -> None:
    capabilities = {name: set(REFERENCE.capabilities(name)) for name in REFERENCE.hosts}
    assert capabilities["guest1"] < capabilities["pacs-rad"]


def test_a_host_is_given_the_devices_of_its_roles_alone() -> None:
    site = committed_site("reference")
    needs_tun = site.catalog["firewall"].model_copy(update={"devices": {"/dev/net/tun": "a tunnel"}})
    site = replace(site, catalog={**site.catalog, "firewall": needs_tun})
    given = {name: host_spec("x", site, name, "i", Cgroups(2)).body["HostConfig"]["Devices"] for name in site.hosts}
    tun = {"PathOnHost": "/dev/net/tun", "PathInContainer": "/dev/net/tun", "CgroupPermissions": "rw"}
    assert {name: devices for name, devices in given.items() if devices} == {site.gateway: [tun]}


def test_a_machine_without_a_device_that_a_role_needs_is_refused_before_anything_starts(tmp_path: Path) -> None:
    missing, there = requirements._device(str(tmp_path / "tun")), requirements._device("/dev/null")  # noqa: SLF001
    assert (missing.met, there.met) == (False, True)
    assert "modprobe" in missing.remedy
