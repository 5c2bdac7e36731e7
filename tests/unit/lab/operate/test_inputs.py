"""A host is configured again when something that it uses has changed: shown by rendering all tasks of its roles."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from lab.operate.inputs import Inputs
from lab.settings import ROOT
from lab.topology.load import load_site, site_path
from lab.topology.order import play_order
from lab.trust import ensure_pki, ensure_secrets, pki
from tests.unit.roles.rendered import MODULE, run_action, variables_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SITE = "small-practice"
HOSTS = {"gw1", "srv1", "pacs1", "ris1", "us1", "ws1"}
EVERYBODY = HOSTS
NOBODY: set[str] = set()


@dataclass(frozen=True)
class Tree:
    """A site's folder, the roles, and the folder of its lab, all copies that a test may change."""

    top: Path

    @property
    def topology(self) -> Path:
        """The site's description."""
        return self.top / "site" / "topology.yml"

    @property
    def roles(self) -> Path:
        """The folder of all roles."""
        return self.top / "roles"

    @property
    def lab(self) -> Path:
        """What a lab of the site keeps: PKI and secrets."""
        return self.top / "lab"

    def settle(self) -> Inputs:
        """Make certificates and secrets what the description asks for, as ``up`` does, and read all of it."""
        site = load_site(self.topology, self.roles)
        ensure_pki(site, self.lab)
        ensure_secrets(site, self.lab)
        return Inputs(site, self.lab, self.roles)

    def replace(self, path: str, old: str, new: str) -> None:
        """Change a piece of text, which must be there."""
        file = self.top / path
        text = file.read_text("utf-8")
        assert old in text, f"{path}: {old}"
        file.write_text(text.replace(old, new, 1), "utf-8")

    def write(self, path: str, text: str) -> None:
        """Write a file, with the folders above it."""
        (self.top / path).parent.mkdir(parents=True, exist_ok=True)
        (self.top / path).write_text(text, "utf-8")


def described(old: str, new: str) -> Callable[[Tree], None]:
    return lambda tree: tree.replace("site/topology.yml", old, new)


def in_role(role: str, path: str, old: str, new: str) -> Callable[[Tree], None]:
    return lambda tree: tree.replace(f"roles/{role}/{path}", old, new)


def settings(path: str, text: str) -> Callable[[Tree], None]:
    return lambda tree: tree.write(f"site/{path}", text)


def rotated(tree: Tree) -> None:
    pki.rotate(load_site(tree.topology, tree.roles), tree.lab, "us1")


def another_secret(tree: Tree) -> None:
    path = tree.lab / "secrets.json"
    path.write_text(json.dumps({"orthanc_http": {"pacs1": "another one, as good as the first"}}), "utf-8")


FLOW = "  - {from: us1, to: pacs1, service: dicomweb-tls, permits: [QIDO-RS], why: Priors at the scanner}\n"
SECOND = """\
  us2:
    zone: modality-us
    address: 192.168.7.11
    profile: modality
    ae_title: US2
    modality: US
    asset: {owner: Practice management, criticality: high, regulated: true, purpose: Second scanner}
"""
CHANGES: dict[str, tuple[Callable[[Tree], None], set[str]]] = {
    # what the description says and no host uses
    "the reason of a flow": (described("why: RAD-128 Send Imaging Result", "why: Because"), NOBODY),
    "a zone's purpose": (described("purpose: Reading workstation}\n\n", "purpose: Whatever}\n\n"), NOBODY),
    "an asset's owner": (described("{owner: Practice management", "{owner: Somebody else"), NOBODY),
    "a profile's name": (
        lambda tree: [
            described("  modality: [", "  scanner: [")(tree),
            described("profile: modality", "profile: scanner")(tree),
        ],
        NOBODY,
    ),
    # flows
    "a new flow": (described("flows:\n", f"flows:\n{FLOW}"), {"us1", "pacs1", "gw1"}),
    "what a flow permits": (described("permits: [QIDO-RS, WADO-RS]", "permits: [QIDO-RS]"), {"ws1", "pacs1"}),
    "an AE title": (described("ae_title: WS1", "ae_title: WS2"), {"ws1", "pacs1", "ris1", "srv1"}),
    # hosts and zones
    "a new host": (described("hosts:\n", f"hosts:\n{SECOND}"), EVERYBODY),
    "a host's address": (described("address: 192.168.8.10", "address: 192.168.8.11"), EVERYBODY),
    "a zone's isolation": (described("192.168.8.0/26,", "192.168.8.0/26, isolated: true,"), {"gw1"}),
    "the site's domain": (described("domain: practice.internal", "domain: office.internal"), EVERYBODY),
    "a role of a host": (
        described("roles: [firewall]", "roles: [firewall, haproxy]"),
        {"gw1", "srv1"},
    ),  # which calls it
    # settings of the site
    "a variable of a role": (settings("group_vars/role_orthanc.yml", "---\northanc_find_results: 3\n"), {"pacs1"}),
    "a variable of a zone": (settings("group_vars/zone_reading_room.yml", "---\nx: 1\n"), {"ws1"}),
    "a variable of all": (settings("group_vars/all.yml", "---\npostgresql_settings: {jit: 'on'}\n"), EVERYBODY),
    "a variable of a group unknown here": (settings("group_vars/machines/a.yml", "---\nx: 1\n"), EVERYBODY),
    "a variable of a host": (settings("host_vars/us1.yml", "---\ndicom_edge_artim_seconds: 3\n"), {"us1"}),
    "a variable that reads another": (
        settings("group_vars/role_log_collector.yml", "---\nlog_collector_keep_days: '{{ site_flows | length }}'\n"),
        {"srv1"},
    ),
    # roles
    "a role's template": (in_role("orthanc", "templates/orthanc.json.j2", "'Timeout'", "'TimeOut'"), {"pacs1"}),
    "a role's task": (in_role("modality", "tasks/configure.yml", "Start the", "Begin the"), {"us1"}),
    "a role's defaults": (in_role("firewall", "defaults/main.yml", ": 200", ": 300"), {"gw1"}),
    "a role's vars": (in_role("orthanc", "vars/main.yml", "1.2.840.10008.1.2.8.1", "1.2.840.10008.1.2.8.2"), {"pacs1"}),
    "a role's summary": (in_role("orthanc", "meta/pacslab.yml", "summary: Orthanc", "summary: An Orthanc"), NOBODY),
    "a remedy": (in_role("orthanc", "meta/pacslab.yml", "Read `journalctl", "Do read `journalctl"), NOBODY),
    "a port of the host itself": (in_role("orthanc", "meta/pacslab.yml", "port: 8042", "port: 8043"), {"pacs1"}),
    "a port of the network": (
        in_role("dicomweb_edge", "meta/pacslab.yml", "port: 8443", "port: 8444"),
        {"gw1", "ws1", "pacs1"},
    ),
    "what a role asks": (
        in_role("orthanc", "meta/pacslab.yml", "[pg_trgm]", "[pg_trgm, hstore]"),
        {"pacs1", "srv1"},
    ),
    # trust
    "keys and certificates": (rotated, {"us1", "srv1"}),
    "a secret": (another_secret, {"pacs1"}),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    tree = Tree(tmp_path_factory.mktemp("inputs"))
    shutil.copytree(ROOT / "roles", tree.roles, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(site_path(SITE).parent, tree.topology.parent)
    tree.settle()
    return tree


@pytest.fixture(scope="module")
def before(original: Tree) -> tuple[dict[str, str], dict[str, Any]]:
    inputs = original.settle()
    return inputs.digests(), rendered(inputs, original)


def rendered(inputs: Inputs, tree: Tree) -> dict[str, Any]:
    """Everything that each host's tasks would do: their options, and the content of every file."""
    return {host: _host(inputs, tree, host) for host in inputs.site.hosts}


def _host(inputs: Inputs, tree: Tree, host: str) -> list[Any]:
    done: list[Any] = []
    loader = DataLoader()
    site = inputs.site
    extra = {
        name: value
        for path in (*_vars(tree, host, site),)
        for name, value in (loader.load_from_file(str(path), trusted_as_template=True) or {}).items()
    }
    for role in [candidate for candidate in play_order(site.catalog) if candidate in site.hosts[host].roles]:
        path = tree.roles / role / "tasks" / "configure.yml"
        if not path.is_file():
            continue
        known = {
            "ansible_connection": "docker",
            "trust_pki_dir": str(tree.lab / "pki"),
            "trust_secrets": json.loads((tree.lab / "secrets.json").read_text()),
        }
        variables = {**variables_of(site, host, role, tree.roles), **extra, **known}
        templar = Templar(loader=loader, variables=variables)
        for task in loader.load_from_file(str(path), trusted_as_template=True):
            if "when" in task and not templar.evaluate_conditional(task["when"]):
                continue
            asked = templar.template(task[MODULE])
            options = {key: value for key, value in asked.items() if key != "files"}
            done.append((role, task["name"], options, run_action(asked, variables, loader)))
    return done


def _vars(tree: Tree, host: str, site: Any) -> list[Path]:
    entry = site.hosts[host]
    groups = ["all", "machines/a", f"zone_{entry.zone.replace('-', '_')}", *(f"role_{role}" for role in entry.roles)]
    names = [*(f"group_vars/{group}.yml" for group in groups), f"host_vars/{host}.yml"]
    return [path for name in names if (path := tree.topology.parent / name).is_file()]


@pytest.mark.parametrize("name", CHANGES)
def test_whoever_is_rendered_differently_is_configured_again_and_few_others(
    name: str, original: Tree, before: tuple[dict[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    change, wanted = CHANGES[name]
    tree = Tree(tmp_path / "copy")
    shutil.copytree(original.top, tree.top)
    change(tree)
    inputs = tree.settle()
    digests, shown = before
    now = inputs.digests()
    again = {host for host in digests if now[host] != digests[host]}
    different = {
        host
        for host, done in rendered(inputs, tree).items()
        if host in shown and _same(done, tree) != _same(shown[host], original)
    }
    assert different <= again
    assert again == wanted


def _same(done: list[Any], tree: Tree) -> str:
    """What is done, without where the copy stands, and without the lists that hosts fetch by themselves."""
    return repr(done).replace(str(tree.top), "")


@pytest.fixture
def tree(original: Tree, tmp_path: Path) -> Tree:
    copied = Tree(tmp_path / "copy")
    shutil.copytree(original.top, copied.top)
    return copied


def again(tree: Tree, change: Callable[[Tree], None]) -> set[str]:
    """The hosts that are configured again after a change."""
    first = tree.settle().digests()
    change(tree)
    now = tree.settle().digests()
    return {host for host in first if now[host] != first[host]}


AE_TITLE = described("ae_title: US1", "ae_title: US9")


@pytest.mark.parametrize(
    "text", ["{{ hostvars['us1'].host_ae_title }}", "{% for x in query('vars', 'y') %}{% endfor %}"]
)
def test_a_role_that_could_read_anything_counts_as_reading_all_there_is(text: str, tree: Tree) -> None:
    assert "gw1" not in again(tree, AE_TITLE)
    tree.write("roles/firewall/templates/other.j2", text)
    assert "gw1" in again(tree, described("ae_title: US9", "ae_title: US8"))


def test_a_tasks_vars_and_a_users_groups_read_nothing(tree: Tree) -> None:
    tree.write(
        "roles/firewall/tasks/more.yml",
        "---\n- name: X\n  ansible.builtin.user: {name: x, groups: [y]}\n  vars: {z: 1}\n",
    )
    assert "gw1" not in again(tree, AE_TITLE)


def test_a_word_of_a_templates_text_reads_nothing(tree: Tree) -> None:
    tree.write("roles/firewall/templates/other.j2", "# flows_out and hostvars, in a comment\n")
    assert "gw1" not in again(tree, AE_TITLE)


def test_what_a_role_takes_from_anothers_folder_counts(tree: Tree) -> None:
    tree.write("roles/orthanc/templates/macro.j2", "{% macro x() %}{{ site_title }}{% endmacro %}")
    tree.write("roles/firewall/templates/other.j2", "{% import 'orthanc/templates/macro.j2' as macros %}")
    assert "gw1" in again(
        tree, lambda one: one.write("roles/orthanc/templates/macro.j2", "{% macro x() %}{% endmacro %}")
    )


def test_secrets_of_others_count_for_a_role_that_reads_them(tree: Tree) -> None:
    assert "gw1" not in again(tree, another_secret)
    tree.write("roles/firewall/templates/other.j2", "{{ trust_secrets.orthanc_http['pacs1'] }}")
    assert "gw1" in again(tree, lambda one: one.write("lab/secrets.json", '{"orthanc_http": {"pacs1": "a third"}}'))


def test_a_revocation_list_is_brought_to_whoever_publishes_it_and_others_fetch_it(tree: Tree) -> None:
    assert again(tree, lambda one: _revoke(one, "us1")) == {"srv1"}


def test_without_a_publisher_a_revocation_list_is_brought_to_every_host(tree: Tree) -> None:
    tree.replace("site/topology.yml", "log_collector, certificate_status, postgresql,", "log_collector, postgresql,")
    tree.replace("site/topology.yml", "  - {from: 'role:trust', to: srv1", "  # - {from: 'role:trust', to: srv1")
    assert again(tree, lambda one: _revoke(one, "us1")) == EVERYBODY


def _revoke(tree: Tree, host: str) -> None:
    pki.revoke(tree.lab, host, "dicom")
