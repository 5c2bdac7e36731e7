"""The playbooks cover every role, in the order that follows from what roles say of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab.ansible.site_playbook import SITE_PLAYBOOK, configures, lab_playbook, site_playbook
from lab.settings import ROOT
from lab.topology.catalog import ROLES_DIR, load_catalog
from lab.topology.load import site_names
from lab.topology.order import play_order
from lab.topology.problems import TopologyError
from lab.topology.variables import site_variables
from tests.unit.lab.topology.sites import write_roles
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

CATALOG = load_catalog()
SITE_YML: list[dict[str, Any]] = yaml.safe_load(SITE_PLAYBOOK.read_text("utf-8"))
REFUSE, INSTALL, *CONFIGURE, START = SITE_YML


def played(plays: list[dict[str, Any]]) -> list[str]:
    return [play["tasks"][0]["ansible.builtin.import_role"]["name"] for play in plays]


def test_the_committed_playbook_is_what_the_roles_say() -> None:
    assert SITE_PLAYBOOK.read_text("utf-8") == site_playbook(CATALOG)


def test_every_role_that_configures_something_is_played_once() -> None:
    assert sorted(played(CONFIGURE)) == sorted(role for role in CATALOG if configures(role))


def test_each_play_is_for_the_hosts_of_its_role() -> None:
    assert [play["hosts"] for play in CONFIGURE] == [f"role_{role}" for role in played(CONFIGURE)]


def test_plays_of_roles_configure_only() -> None:
    assert {play["tasks"][0]["ansible.builtin.import_role"]["tasks_from"] for play in CONFIGURE} == {"configure"}


def test_real_machines_install_all_their_roles_before_anything_is_configured() -> None:
    task = INSTALL["tasks"][0]
    assert "site_install" in INSTALL["hosts"]
    assert (task["ansible.builtin.include_role"]["tasks_from"], task["loop"]) == ("install", "{{ host_roles }}")


def test_hosts_that_wait_for_their_configuration_are_started_when_all_of_it_is_there() -> None:
    assert (START["hosts"], list(START["tasks"][0])) == ("all", ["name", "pacslab.lab.start_host"])


def test_no_play_gathers_facts() -> None:
    assert not any(play["gather_facts"] for play in SITE_YML)


def test_every_role_is_played_behind_those_that_it_comes_after() -> None:
    order = play_order(CATALOG)
    assert sorted(order) == sorted(CATALOG)
    assert all(order.index(before) < order.index(role) for role, meta in CATALOG.items() for before in meta.after)


@pytest.mark.parametrize("name", site_names())
def test_a_run_by_hand_knows_every_role_of_a_site_in_its_order(name: str) -> None:
    known = REFUSE["tasks"][0]["vars"]["site_played"]
    wanted = site_variables(committed_site(name))["site_roles"]
    assert [role for role in known if role in wanted] == wanted


def test_the_driver_plays_the_roles_of_its_hosts_and_no_other() -> None:
    *plays, start = yaml.safe_load(lab_playbook(CATALOG, ["trust", "base", "python_runtime"]))
    assert (played(plays), start) == (["base", "trust"], START)


@pytest.mark.parametrize("role", CATALOG)
def test_every_role_installs_or_configures_something(role: str) -> None:
    tasks = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROLES_DIR / role / "tasks").glob("*.yml")}
    leads_to_a_device = any(service.beside for service in CATALOG[role].services.values())  # through roles before it
    assert tasks.keys() & {"install", "configure"} or leads_to_a_device
    assert all(tasks.values())


def test_every_playbook_of_operations_imports_what_is_there() -> None:
    for path in (ROOT / "playbooks").glob("*-certificate*.yml"):
        for role in played(yaml.safe_load(path.read_text("utf-8"))):
            assert configures(role), f"{path.name}: {role}"


def test_a_role_that_is_added_comes_where_it_says(tmp_path: Path) -> None:
    roles = write_roles(
        tmp_path, {"base": "summary: A", "edge": "summary: B\nafter: [base]", "a": "summary: C\nafter: [edge]"}
    )
    for role in ("base", "edge", "a"):
        (roles / role / "tasks").mkdir()
        (roles / role / "tasks" / "configure.yml").touch()
    _, _, *plays, _ = yaml.safe_load(site_playbook(load_catalog(roles), roles))
    assert played(plays) == ["base", "edge", "a"]


def test_roles_that_come_after_each_other_are_a_mistake(tmp_path: Path) -> None:
    roles = write_roles(tmp_path, {"one": "summary: A\nafter: [two]", "two": "summary: B\nafter: [one]"})
    with pytest.raises(TopologyError) as caught:
        load_catalog(roles)
    (problem,) = caught.value.problems
    assert (problem.line, "come after each other: one after two after one" in problem.message) == (2, True)


def test_a_role_that_comes_after_one_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(TopologyError) as caught:
        load_catalog(write_roles(tmp_path, {"one": "summary: A", "two": "summary: B\nafter: [oen]"}))
    (problem,) = caught.value.problems
    assert (problem.line, problem.remedy) == (2, "Did you mean one? Roles: one, two.")
