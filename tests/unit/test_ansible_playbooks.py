"""The playbooks cover every role, in an order that every host's role list agrees with."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
import yaml

from lab.settings import ROOT

SITE_YML: list[dict[str, Any]] = yaml.safe_load((ROOT / "playbooks" / "site.yml").read_text("utf-8"))
ROLES = sorted(path.parents[1].name for path in (ROOT / "roles").glob("*/meta/pacslab.yml"))
INVENTORIES = sorted((ROOT / "inventories").glob("*/topology.yml"))


def played() -> list[str]:
    return [play["tasks"][0]["ansible.builtin.import_role"]["name"] for play in SITE_YML]


def test_every_role_is_played_once() -> None:
    assert sorted(played()) == ROLES


def test_each_play_is_for_the_hosts_of_its_role() -> None:
    assert all(
        f"role_{role}" in re.findall(r"\w+", play["hosts"]) for role, play in zip(played(), SITE_YML, strict=True)
    )


@pytest.mark.parametrize("role", ROLES)
def test_a_role_that_configures_nothing_is_played_on_real_machines_only(role: str) -> None:
    play = SITE_YML[played().index(role)]
    configures = (ROOT / "roles" / role / "tasks" / "configure.yml").is_file()
    assert ("site_install" in play["hosts"]) is not configures


def test_no_play_gathers_facts() -> None:
    assert not any(play["gather_facts"] for play in SITE_YML)


@pytest.mark.parametrize("path", INVENTORIES, ids=lambda path: path.parent.name)
def test_roles_are_played_in_the_order_that_hosts_list_them(path: Any) -> None:
    order = {role: number for number, role in enumerate(played())}
    for name, host in yaml.safe_load(path.read_text("utf-8"))["hosts"].items():
        for earlier, later in pairwise(host["roles"]):
            assert order[earlier] < order[later], f"{name}: {earlier} before {later}"


@pytest.mark.parametrize("role", ROLES)
def test_every_role_has_what_the_playbooks_import(role: str) -> None:
    tasks = ROOT / "roles" / role / "tasks"
    parts = [
        line.split()[-1] for line in (tasks / "main.yml").read_text("utf-8").splitlines() if "import_tasks" in line
    ]
    assert parts in (["install.yml"], ["configure.yml"], ["install.yml", "configure.yml"])
    assert all((tasks / part).is_file() for part in parts)
