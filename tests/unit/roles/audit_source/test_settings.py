"""What the daemon of audit messages is told of its host, and that all its modules are there."""

from __future__ import annotations

import ast
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from lab.settings import ROOT
from lab.topology.catalog import load_catalog
from simulators.audit.serve import CERTIFICATE, SERVICE
from simulators.audit.serve import _source as source_of
from simulators.settings import parse
from tests.unit.roles.rendered import REFERENCE, files_of

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.audit.message import Source

ROLE = "audit_source"
META = load_catalog()[ROLE]


def settings_of(host: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files_of(REFERENCE, host, ROLE)["/etc/pacslab/audit.json"].text)
    return found


def source(host: str) -> Source:
    settings = settings_of(host)
    return source_of(parse(settings), settings["audit"])


def test_the_daemon_finds_its_repository_and_its_certificate() -> None:
    settings = parse(settings_of("ct1"))
    peer = settings.peer(SERVICE)
    assert (peer.name, peer.address, peer.port) == ("siem1", "10.24.20.11", 6514)
    assert peer.identity == "syslog-service.siem1.imaging.internal"
    assert str(settings.tls.certificates[CERTIFICATE].key) == "/etc/pacslab/tls/audit.key"
    assert META.certificates[CERTIFICATE].profile == "syslog-node"


@pytest.mark.parametrize(
    ("host", "kind"), [("fw1", "7"), ("pacs-rad", "4"), ("ct1", "2"), ("ws-rad1", "1"), ("db1", "5"), ("adm1", "9")]
)
def test_each_host_says_what_kind_of_source_it_is(host: str, kind: str) -> None:
    assert source(host).kind == kind


def test_it_can_name_every_host_and_the_application_entities_that_it_talks_with() -> None:
    names = source("pacs-rad").names
    for name, host in REFERENCE.hosts.items():
        assert names[name] == names[str(host.address)] == REFERENCE.fqdn(name)
    assert (names["CT1"], names["VNA1"]) == ("ct1.imaging.internal", "vna1.imaging.internal")
    assert "PACSCARD" not in names


def test_it_follows_the_units_of_the_hosts_services() -> None:
    assert {"orthanc.service", "pacslab-image-manager.service"} <= set(settings_of("pacs-rad")["audit"]["units"])


def test_in_a_site_with_a_repository_every_host_that_sends_its_log_makes_audit_messages() -> None:
    provided = [entry.provides for host in REFERENCE.managed for entry in REFERENCE.services(host).values()]
    assert "audit-repository" in provided
    sends = {name for name, host in REFERENCE.managed.items() if "log_forwarder" in host.roles}
    own = {name for name, host in REFERENCE.managed.items() if "siem" in host.roles}
    assert sends | own == {name for name, host in REFERENCE.managed.items() if ROLE in host.roles}


def test_who_else_may_read_the_settings() -> None:
    file = files_of(REFERENCE, "ct1", ROLE)["/etc/pacslab/audit.json"]
    assert (file.owner, file.group, file.mode) == ("root", "audit", "0640")


def imported(path: Path) -> set[str]:
    """Modules of ours that a file imports when it runs."""
    text = re.sub(r"(?m)^if TYPE_CHECKING:\n(?:    .*\n|\n)*", "", path.read_text("utf-8"))
    found = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom) and node.module}
    names = {
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    modules = {name for name in found | names if (ROOT / f"{name.replace('.', '/')}.py").exists()}
    return {name for name in modules if name.startswith("simulators")}


def test_everything_that_the_daemon_imports_is_on_the_host_and_in_the_images_key() -> None:
    needed, unread = {"simulators.audit.serve"}, ["simulators.audit.serve"]
    while unread:
        fresh = imported(ROOT / f"{unread.pop().replace('.', '/')}.py") - needed
        needed |= fresh
        unread += fresh
    assert len(needed) > 12
    install = (ROOT / "roles" / ROLE / "tasks" / "install.yml").read_text("utf-8")
    for name in needed:
        path = f"{name.replace('.', '/')}.py"
        brought = [kept for kept in META.sources if path == kept or path.startswith(f"{kept}/")]
        assert brought, path
        assert f'{{{{ role_path }}}}/../../{brought[0]}"' in install, path
