"""A site's description is an Ansible inventory as it stands, by hand in the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lab.topology.load import site_path
from lab.topology.variables import host_variables, site_variables
from tests.unit.site_builder import committed_site

ROOT = Path(__file__).resolve().parents[4]
COMMAND = Path(sys.executable).parent / "ansible-inventory"


def run(source: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask ansible-inventory in the repository's root."""
    return subprocess.run(
        [COMMAND, "-i", source, *arguments], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def listing() -> dict[str, Any]:
    """The reference site as ansible-inventory lists it."""
    result = run(site_path("reference"), "--list")
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_hosts_are_grouped_by_zone(listing: dict[str, Any]) -> None:
    assert listing["zone_modality_ct"]["hosts"] == ["ct1", "ct2"]
    assert listing["zone_security_services"]["hosts"] == ["fw1", "siem1", "scan1"]


def test_hosts_are_grouped_by_role(listing: dict[str, Any]) -> None:
    assert listing["role_postgresql"]["hosts"] == ["siem1", "db1"]
    assert listing["role_certificate_status"]["hosts"] == ["ca1"]


def test_variables_are_those_of_the_site(listing: dict[str, Any]) -> None:
    site = committed_site("reference")
    expected = json.loads(json.dumps({**site_variables(site), **host_variables(site, "ct1")}))
    found = listing["_meta"]["hostvars"]["ct1"]
    assert {name: found[name] for name in expected} == expected
    assert found["ansible_host"] == "10.24.41.11"


def copy_site(folder: Path, old: str = "", new: str = "") -> Path:
    """Copy the reference site into a folder, with one change."""
    path = folder / "topology.yml"
    shutil.copy(site_path("reference"), path)
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    return path


def test_group_vars_beside_the_description_are_read(tmp_path: Path) -> None:
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "role_modality.yml").write_text("modality_speed: slow\n", "utf-8")
    result = run(copy_site(tmp_path), "--host", "us1")
    assert json.loads(result.stdout)["modality_speed"] == "slow"


def test_mistakes_end_ansible_with_file_line_and_remedy(tmp_path: Path) -> None:
    path = copy_site(tmp_path, "vlan: 20,", "vlan: 10,")
    line = next(number for number, text in enumerate(path.open(), 1) if text.startswith("  security-services:"))
    result = run(path, "--graph")
    assert result.returncode != 0
    assert f"{path}:{line}: Zone security-services has VLAN 10" in result.stderr
    assert "such as 11" in result.stderr


def test_a_file_of_another_tool_is_left_to_others(tmp_path: Path) -> None:
    path = tmp_path / "topology.yml"
    path.write_text("nodes: [a, b]\n", "utf-8")
    result = run(path, "--graph", "-vvv")
    assert "declined parsing" in result.stdout + result.stderr
