"""The health agent asks for the folders of the host's roles, with the room that the description asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from lab.topology.catalog import ROLES_DIR
from lab.topology.model import FreeSpace
from lab.topology.variables import host_variables
from tests.unit.roles.programs import role_program
from tests.unit.site_builder import build_site, committed_site

if TYPE_CHECKING:
    from pathlib import Path

ROLES = {
    "base": {
        "summary": "Base",
        "storage": {"/srv": "sorting"},
        "services": {"x": {"port": 1, "unit": "x.service", "remedy": "Look."}},
    },
    "archive": {"summary": "Archive", "storage": {"/var/lib/archive": "images"}},
}
DESCRIPTION = {
    "site": "small",
    "zones": {"z": {"vlan": 1, "subnet": "10.0.0.0/24", "purpose": "All"}},
    "free_space": {"megabytes": 500},
    "hosts": {
        "fw1": {"zone": "z", "address": "10.0.0.1", "gateway": True, "roles": ["base"]},
        "a": {"zone": "z", "address": "10.0.0.2", "roles": ["base", "archive"], "free_space": {"percent": 20}},
    },
    "flows": [{"from": "a", "to": "fw1", "service": "x", "why": "test"}],
}


def test_folders_come_from_all_roles_and_room_from_the_host_or_its_site() -> None:
    site = build_site(DESCRIPTION, ROLES)
    assert list(site.storage("a")) == ["/srv", "/var/lib/archive"]
    assert (site.free_space("fw1").megabytes, site.free_space("fw1").percent) == (500, 5)
    assert (site.free_space("a").megabytes, site.free_space("a").percent) == (600, 20)
    assert host_variables(site, "a")["host_storage"] == {
        "folders": ["/srv", "/var/lib/archive"],
        "free_space": {"megabytes": 600, "percent": 20, "inodes_percent": 2},
    }


def test_every_host_of_the_reference_site_answers_for_its_storage() -> None:
    site = committed_site("reference")
    for host in site.hosts:
        assert site.services(host)["storage"].probe.kind == "room"
        assert site.storage(host)


def test_a_folder_that_lacks_something_makes_the_service_unhealthy_with_the_reason(tmp_path: Path) -> None:
    agent = role_program("base", "health.py")
    services = {"storage": {"unit": "pacslab-health.service", "probe": {"kind": "room"}, "protocol": "tcp"}}
    storage = {"folders": [str(tmp_path)], "free_space": {"megabytes": 1, "percent": 1, "inodes_percent": 0}}

    class Active:
        """Every unit is active."""

        def states(self, units: set[str], stands: float = 0.0) -> dict[str, str]:
            del stands
            return dict.fromkeys(units, "active")

    assert agent.ask(services, storage, Active(), agent.Commands())["storage"] == {"healthy": True, "detail": ""}
    storage["folders"].append(str(tmp_path / "gone"))
    answer = agent.ask(services, storage, Active(), agent.Commands())["storage"]
    assert not answer["healthy"]
    assert str(tmp_path / "gone") in answer["detail"]


def test_a_host_is_named_before_its_archive_refuses() -> None:
    defaults = yaml.safe_load((ROLES_DIR / "orthanc" / "defaults" / "main.yml").read_text("utf-8"))
    assert FreeSpace().megabytes > defaults["orthanc_reserve_megabytes"]
