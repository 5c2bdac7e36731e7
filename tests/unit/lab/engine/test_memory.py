"""Each container has a limit of memory that follows from the description; a site fits the machine that it asks for."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest
from pydantic import ValidationError

from lab.engine.device_spec import described_specs
from lab.engine.memory import FABRIC, MACHINE, MEGABYTE, PLACE, asked, limits
from lab.engine.requirements import examine
from lab.engine.spec import Cgroups, fabric_spec, host_spec
from lab.settings import ROOT
from lab.topology.load import site_names
from lab.topology.role import UNSAID, Memory, RoleMeta
from tests.unit.site_builder import build_site, committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.client import Docker

REFERENCE = committed_site("reference")
KEPT_BY_THE_KERNEL = 0.05
"""Share of a machine's memory that it does not count as its own."""


class _Images(dict[str, str]):
    def __missing__(self, _: str) -> str:
        return "image"


def told(container: dict[str, Any]) -> tuple[int, int]:
    """What Docker is told of a container's memory, and of that with swap, in megabytes."""
    config = container["HostConfig"]
    return config["Memory"] // MEGABYTE, config["MemorySwap"] // MEGABYTE


@pytest.mark.parametrize("version", [1, 2])
def test_a_host_may_take_what_its_roles_may_and_nothing_of_the_swap(version: int) -> None:
    most = sum(REFERENCE.catalog[role].own_memory.most for role in REFERENCE.hosts["ct1"].roles)
    assert REFERENCE.memory("ct1").most == most
    assert told(host_spec("x", REFERENCE, "ct1", "image", Cgroups(version)).body) == (most, most)


def test_the_fabric_has_a_limit_too() -> None:
    assert told(fabric_spec("x", REFERENCE, "image").body) == (FABRIC, FABRIC)


@pytest.mark.parametrize("name", site_names())
def test_no_container_of_a_site_is_without_a_limit(name: str, tmp_path: Path) -> None:
    specs = described_specs("x", committed_site(name), _Images(), Cgroups(2), tmp_path)
    assert all(told(spec.body)[0] >= PLACE for spec in specs.values())


def test_a_site_says_otherwise_for_a_host(tmp_path: Path) -> None:
    place = {"zone": "middle", "roles": ["base"]}
    hosts = {
        "fw": {**place, "address": "10.0.10.1", "gateway": True},
        "big": {**place, "address": "10.0.10.2", "memory": 6000},
        "box": {**place, "address": "10.0.10.3", "device": {"image": "vendor/box", "memory": 900}},
    }
    zones = {"middle": {"vlan": 10, "subnet": "10.0.10.0/24", "purpose": "Servers"}}
    flow = {"from": "big", "to": "fw", "service": "storage", "why": "Trial"}
    site = build_site({"site": "trial", "zones": zones, "hosts": hosts, "flows": [flow]}, REFERENCE.catalog)
    assert (site.memory("fw").most, site.memory("big").most) == (128, 6000)
    assert site.memory("big").needs == site.memory("fw").needs
    specs = described_specs("x", site, _Images(), Cgroups(2), tmp_path)
    assert (told(specs["big"].body)[0], told(specs["box"].body)[0]) == (6000, 900)
    wanted = asked(site)
    assert (wanted.needs, wanted.headroom) == (2 * site.memory("fw").needs + 900, 6000 - site.memory("big").needs)


@pytest.mark.parametrize("name", site_names())
def test_a_site_fits_the_machine_that_the_readme_asks_for(name: str) -> None:
    (gigabytes,) = re.findall(r"with 2 cores, (\d+) GB of\s+memory", (ROOT / "README.md").read_text("utf-8"))
    wanted = asked(committed_site(name))
    assert wanted.total <= int(gigabytes) * 1024 * (1 - KEPT_BY_THE_KERNEL)
    assert wanted.total == wanted.needs + wanted.headroom + MACHINE


def test_a_host_of_roles_that_say_nothing_is_limited_all_the_same() -> None:
    assert limits(0) == limits(PLACE), "Docker would take 0 for no limit at all"


def test_a_role_with_services_that_says_nothing_may_take_something_and_one_without_adds_nothing() -> None:
    service = {"unit": "x.service", "remedy": "Look."}
    assert RoleMeta.model_validate({"summary": "x", "services": {"x": service}}).own_memory == Memory(most=UNSAID)
    assert RoleMeta.model_validate({"summary": "x"}).own_memory == Memory()
    said = {"summary": "x", "services": {"x": service}, "memory": {}}
    assert RoleMeta.model_validate(said).own_memory == Memory()


def test_a_role_cannot_need_more_than_it_may_take() -> None:
    with pytest.raises(ValidationError, match="less than what it needs"):
        Memory(needs=200, most=100)


def findings(**info: Any) -> dict[str, Any]:
    engine = {"CgroupVersion": "2", "DockerRootDir": "/", **info}

    class Engine:
        """Stands in for Docker."""

        def info(self) -> dict[str, Any]:
            """What it says of the machine."""
            return engine

        def call(self, *_: str) -> dict[str, Any]:
            """Its version."""
            return {"Version": "20.10", "ApiVersion": "1.41"}

    found = examine(cast("Docker", Engine()), building=False, memory=asked(REFERENCE))
    return {finding.name: finding for finding in found}


def test_a_machine_with_too_little_memory_is_told_how_much_is_asked_of_it() -> None:
    assert findings(MemTotal=8 << 30)["memory"].met
    little = findings(MemTotal=2 << 30)["memory"]
    assert not little.met
    wanted = asked(REFERENCE)
    total, needs = (f"{megabytes / 1024:.1f} GB" for megabytes in (wanted.total, wanted.needs))
    assert little.found.startswith(f"2.0 GB; the site asks for {total}: {needs} for all hosts")


def test_a_kernel_that_limits_no_memory_is_told() -> None:
    assert findings(MemoryLimit=True)["memory limits"].met
    assert "cgroup_enable=memory" in findings(MemoryLimit=False)["memory limits"].remedy
    assert not findings(MemoryLimit=False)["memory limits"].met
