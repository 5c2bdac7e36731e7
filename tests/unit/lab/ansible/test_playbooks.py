"""The playbooks cover every role, in an order that every host's role list agrees with."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import yaml

from lab.settings import ROOT

SITE_YML: list[dict[str, Any]] = yaml.safe_load((ROOT / "playbooks" / "site.yml").read_text("utf-8"))
INSTALL, *CONFIGURE = SITE_YML
ROLES = sorted(path.parents[1].name for path in (ROOT / "roles").glob("*/meta/pacslab.yml"))
INVENTORIES = sorted((ROOT / "inventories").glob("*/topology.yml"))


def configured() -> list[str]:
    return [play["tasks"][0]["ansible.builtin.import_role"]["name"] for play in CONFIGURE]


def configures(role: str) -> bool:
    return (ROOT / "roles" / role / "tasks" / "configure.yml").is_file()


def test_every_role_that_configures_something_is_played_once() -> None:
    assert sorted(configured()) == [role for role in ROLES if configures(role)]


def test_each_play_is_for_the_hosts_of_its_role() -> None:
    assert [play["hosts"] for play in CONFIGURE] == [f"role_{role}" for role in configured()]


def test_plays_of_roles_configure_only() -> None:
    assert {play["tasks"][0]["ansible.builtin.import_role"]["tasks_from"] for play in CONFIGURE} == {"configure"}


def test_real_machines_install_all_their_roles_before_anything_is_configured() -> None:
    task = INSTALL["tasks"][0]
    assert "site_install" in INSTALL["hosts"]
    assert (task["ansible.builtin.include_role"]["tasks_from"], task["loop"]) == ("install", "{{ host_roles }}")


def test_no_play_gathers_facts() -> None:
    assert not any(play["gather_facts"] for play in SITE_YML)


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.parent.name)
def test_roles_are_played_in_the_order_that_hosts_list_them(path: Any) -> None:
    order = {role: number for number, role in enumerate(configured())}
    for name, host in yaml.safe_load(path.read_text("utf-8"))["hosts"].items():
        for earlier, later in pairwise(role for role in host["roles"] if configures(role)):
            assert order[earlier] < order[later], f"{name}: {earlier} before {later}"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_what_the_playbooks_import(role: str) -> None:
    tasks = ROOT / "roles" / role / "tasks"
    parts = [
        line.split()[-1] for line in (tasks / "main.yml").read_text("utf-8").splitlines() if "import_tasks" in line
    ]
    assert parts in (["install.yml"], ["configure.yml"], ["install.yml", "configure.yml"])
    assert all((tasks / part).is_file() for part in parts)
