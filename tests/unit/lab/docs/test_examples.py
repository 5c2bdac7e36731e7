"""What the pages on adding hosts and roles show works as it stands there."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import jinja2
import pytest
import yaml

from lab.ansible.site_playbook import site_playbook
from lab.docs.roles import role_pages
from lab.settings import ROOT
from lab.topology import Site, load_site
from lab.topology.catalog import load_catalog
from lab.topology.variables import host_variables, site_variables
from tests.unit.lab.docs.pages import DOCS, extended, files, fragments

HOST_PAGE, ROLE_PAGE = DOCS / "add-a-host.md", DOCS / "add-a-role.md"
SECOND_SCANNER, X_RAY_ROOM, EMERGENCY = fragments(HOST_PAGE)
ROLE = "downtime_page"
OF_EVERY_HOST = {"certificate-status", "syslog-tls", "dns", "dns-tcp", "nts-ke", "ntp"}
"""Services that each managed host of the site calls."""
OF_EVERY_WORKSTATION = {"sign-on", "partner-sign-on", "viewer"}
"""Those that the hosts of their zone call."""


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    """A copy of the reference site's description."""
    folder = tmp_path / "reference"
    folder.mkdir()
    return Path(shutil.copy(ROOT / "inventories" / "reference" / "topology.yml", folder))


@pytest.fixture
def roles(tmp_path: Path) -> Path:
    """The roles of the repository, and the one of the page with every file that it shows."""
    folder = tmp_path / "roles"
    shutil.copytree(ROOT / "roles", folder)
    for path, text in files(ROLE_PAGE).items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    return folder


@pytest.fixture
def site(reference: Path, roles: Path) -> Site:
    """The reference site with the host and the flow of the role's page."""
    (fragment,) = fragments(ROLE_PAGE)
    return load_site(extended(fragment, reference), roles)


def allowed(site: Site, host: str) -> set[tuple[str, str, str]]:
    return {(flow.source, flow.target, flow.service) for flow in (*site.flows_in(host), *site.flows_out(host))}


def test_a_second_scanner_has_the_flows_of_the_first(reference: Path) -> None:
    site = load_site(extended(SECOND_SCANNER, reference))
    as_first = {tuple("us2" if name == "us1" else name for name in flow) for flow in allowed(site, "us1")}
    assert allowed(site, "us2") == as_first
    assert ("us2", "pacs-rad", "dicom-tls") in as_first
    assert site.topology.zones[site.hosts["us2"].zone].isolated


def test_a_second_scanner_needs_no_new_image(reference: Path) -> None:
    site = load_site(extended(SECOND_SCANNER, reference))
    assert site.hosts["us2"].roles == site.hosts["us1"].roles


def test_an_x_ray_room_comes_with_its_zone_and_an_interface_of_the_firewall(reference: Path) -> None:
    site = load_site(extended(X_RAY_ROOM, reference))
    assert site.hosts["dx1"].modality == "DX"
    assert "10.24.45.1" in {
        str(interface.address) for interface in site.interfaces("fw1") if interface.zone == "modality-dx"
    }
    assert ("dx1", "pacs-rad", "dicom-tls") in allowed(site, "dx1")


def test_a_workstation_has_the_flow_written_for_it_and_no_other_to_an_archive(reference: Path) -> None:
    site = load_site(extended(EMERGENCY, reference))
    clinical = [
        flow for flow in site.flows_out("ws-ed1") if flow.service not in {*OF_EVERY_HOST, *OF_EVERY_WORKSTATION}
    ]
    assert [(flow.target, flow.service, flow.permits) for flow in clinical] == [
        ("vna1", "dicom-tls", ("C-ECHO", "C-FIND", "C-GET"))
    ]


def test_the_roles_files_are_those_that_every_role_has(roles: Path) -> None:
    shown = {str(path.relative_to(roles / ROLE)) for path in (roles / ROLE).rglob("*") if path.is_file()}
    assert shown >= {
        "meta/argument_specs.yml",
        "meta/pacslab.yml",
        "tasks/install.yml",
        "tasks/configure.yml",
    }


def test_the_role_is_read_into_the_catalogue(roles: Path) -> None:
    meta = load_catalog(roles)[ROLE]
    assert meta.services["downtime-page"].port == 443
    assert meta.certificates["downtime"].profile == "web"


def test_the_roles_page_can_be_generated_and_has_its_variable(roles: Path) -> None:
    assert "| `downtime_page_text` |" in role_pages(roles)[f"{ROLE}.md"]


def test_defaults_are_the_documented_ones(roles: Path) -> None:
    defaults = yaml.safe_load((roles / ROLE / "defaults" / "main.yml").read_text("utf-8"))
    specs = yaml.safe_load((roles / ROLE / "meta" / "argument_specs.yml").read_text("utf-8"))
    documented = specs["argument_specs"]["main"]["options"]
    assert defaults == {name: option["default"] for name, option in documented.items()}


def test_the_roles_host_serves_workstations_and_nobody_else(site: Site) -> None:
    callers = {flow.source for flow in site.flows_in("info1") if (flow.service, flow.port) == ("downtime-page", 443)}
    administrators = set(site.with_function("administration"))
    assert callers == {"ws-rad1", "ws-tech1"} == {flow.source for flow in site.flows_in("info1")} - administrators


def test_every_template_that_the_role_uses_renders_for_its_host(site: Site, roles: Path) -> None:
    (task,) = yaml.safe_load((roles / ROLE / "tasks" / "configure.yml").read_text("utf-8"))
    used = {entry["template"] for entry in task["pacslab.lab.configure"]["files"] if "template" in entry}
    folder = roles / ROLE / "templates"
    assert used == {path.name for path in folder.iterdir()}
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - a web server's configuration, not a web page
    )
    text = environment.get_template("downtime.conf.j2").render(
        {**site_variables(site), **host_variables(site, "info1")}
    )
    assert "listen 443 ssl;" in text
    assert "server_name info1.imaging.internal;" in text
    assert all(f"/etc/pacslab/tls/{name}.crt" in text for name in site.certificates("info1") if name == "downtime")


def test_the_role_is_played_without_a_change_to_any_playbook(roles: Path) -> None:
    plays = yaml.safe_load(site_playbook(load_catalog(roles), roles))
    hosts = [play["hosts"] for play in plays]
    assert hosts.index("role_trust") < hosts.index(f"role_{ROLE}")
    assert ROLE in [play["tasks"][0]["ansible.builtin.import_role"]["name"] for play in plays[2:-1]]
    assert not [path for path in files(ROLE_PAGE) if path.startswith("playbooks/")]


def test_the_roles_files_pass_yamllint(roles: Path) -> None:
    settings = roles / ".yamllint"
    settings.write_text((ROOT / ".yamllint").read_text("utf-8").replace("ignore-from-file: .gitignore\n", ""), "utf-8")
    argv = [sys.executable, "-m", "yamllint", "--strict", "--config-file", str(settings), str(roles / ROLE)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_site_says_is_a_variable_of_the_role() -> None:
    said = yaml.safe_load(files(ROLE_PAGE)[f"inventories/reference/group_vars/role_{ROLE}.yml"])
    assert set(said) == set(yaml.safe_load(files(ROLE_PAGE)[f"roles/{ROLE}/defaults/main.yml"]))
