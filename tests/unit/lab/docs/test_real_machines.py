"""The page on real machines: its inventory, its program and its playbooks work as they stand there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.settings import ROOT
from tests.unit.lab.docs.pages import DOCS, files

PAGE = DOCS / "real-machines.md"
MACHINES = "inventories/hospital/machines.yaml"
BIN = Path(sys.executable).parent


def program(first_words: str) -> str:
    """Return the page's Python block that begins with these words, for a site that is kept here."""
    text = PAGE.read_text("utf-8")
    start = text.index(f"```python\n{first_words}") + len("```python\n")
    return text[start : text.index("```", start)].replace('"hospital"', '"small-practice"')


def run(argv: list[str], home: Path, **variables: str) -> str:
    done = subprocess.run(
        argv,
        cwd=ROOT,
        env={**os.environ, "HOME": str(home), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The site that the page begins with, and how its machines are reached."""
    folder = tmp_path_factory.mktemp("inventories") / "small-practice"
    folder.mkdir()
    shutil.copy(ROOT / "inventories" / "small-practice" / "topology.yml", folder)
    (folder / "machines.yaml").write_text(files(PAGE)[MACHINES], "utf-8")
    return f"{folder}/topology.yml,{folder}/machines.yaml"


@pytest.fixture(scope="module")
def listed(inventory: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What Ansible makes of it."""
    home = tmp_path_factory.mktemp("home")
    text = run([str(BIN / "ansible-inventory"), "--list"], home, ANSIBLE_INVENTORY=inventory)
    hosts: dict[str, Any] = json.loads(text)["_meta"]["hostvars"]
    return hosts


def test_machines_are_reached_at_the_addresses_that_the_file_gives(listed: dict[str, Any]) -> None:
    given = yaml.safe_load(files(PAGE)[MACHINES])["all"]["hosts"]
    assert {host: {"ansible_host": listed[host]["ansible_host"]} for host in given} == given


def test_other_hosts_keep_the_sites_address(listed: dict[str, Any]) -> None:
    assert listed["us1"]["ansible_host"] == listed["us1"]["host_address"]


def test_every_host_knows_who_may_administer_it(listed: dict[str, Any]) -> None:
    assert {host["base_management_sources"][0]["source"] for host in listed.values()} == {"192.0.2.10"}


def test_variables_of_the_file_are_variables_of_roles(listed: dict[str, Any]) -> None:
    del listed
    known: set[str] = set()
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        known |= set(yaml.safe_load(path.read_text("utf-8"))["argument_specs"]["main"].get("options") or {})
    said = yaml.safe_load(files(PAGE)[MACHINES])["all"]["vars"]
    assert {name for name in said if not name.startswith("ansible_")} <= known


def test_with_site_install_every_machine_is_installed_first(inventory: str, tmp_path: Path) -> None:
    argv = [str(BIN / "ansible-playbook"), "playbooks/site.yml", "--list-hosts", "-e", "trust_pki_dir=/x"]
    both, one = (
        re.findall(r"hosts \((\d+)\)", run(words, tmp_path, ANSIBLE_INVENTORY=inventory))
        for words in ([*argv, "-e", "site_install=true"], argv)
    )
    assert (both[:2], one[:2]) == (["6", "6"], ["6", "0"])
    assert both[2:] == one[2:]


def issue(home: Path) -> Path:
    """Make the certificates as the page says; return the folder."""
    (line,) = re.findall(r"^    (pacslab pki issue .*)$", PAGE.read_text("utf-8"), re.MULTILINE)
    words = line.replace("--site hospital", "--site small-practice").replace("~", str(home)).split()
    run([str(BIN / words[0]), *words[1:]], home)
    return home / "pacslab-hospital"


def test_the_command_makes_what_the_playbook_wants_and_keeps_it(tmp_path: Path) -> None:
    path = issue(tmp_path) / "variables.json"
    first = path.read_text("utf-8")
    variables = json.loads(first)
    pki = Path(variables["trust_pki_dir"])
    assert (pki / "hosts" / "us1" / "dicom-client.key").is_file()
    assert (pki / "ca.crt").is_file()
    assert (pki / "crl.pem").is_file()
    assert set(variables["trust_secrets"]["orthanc_http"]) == {"pacs1"}
    assert path.stat().st_mode & 0o077 == 0
    key = (pki / "hosts" / "us1" / "dicom-client.key").read_bytes()
    issue(tmp_path)
    assert path.read_text("utf-8") == first
    assert (pki / "hosts" / "us1" / "dicom-client.key").read_bytes() == key


def test_a_certificate_is_revoked_as_the_page_says(tmp_path: Path) -> None:
    folder = issue(tmp_path)
    run([sys.executable, "-c", program("from pathlib")], tmp_path)
    lines = (folder / "pki" / "index.txt").read_text("utf-8").splitlines()
    assert [line.split("\t")[0] for line in lines].count("R") == 1
