"""The daemon is told where messages go, whom events can name, and which units are the host's; its program is whole."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lab.settings import ROOT
from simulators.audit.serve import CERTIFICATE
from simulators.settings import parse
from tests.unit.roles.rendered import REFERENCE, rendered_template

if TYPE_CHECKING:
    from pathlib import Path

ROLE = ROOT / "roles/audit_source"
SENDERS = sorted(name for name, host in REFERENCE.hosts.items() if "log_forwarder" in host.roles)


def settings(host: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(rendered_template(REFERENCE, host, "audit_source", "audit.json.j2"))
    return read


@pytest.mark.parametrize("host", SENDERS)
def test_messages_go_to_the_collector_by_the_name_that_it_proves(host: str) -> None:
    read = parse(settings(host))
    peer = read.peer("syslog-tls")
    assert (peer.name, peer.identity, peer.port) == ("siem1", "syslog-service.siem1.imaging.internal", 6514)
    assert (read.host.fqdn, CERTIFICATE in read.tls.certificates) == (f"{host}.imaging.internal", True)


@pytest.mark.parametrize(
    ("host", "kind"),
    [("ct1", "2"), ("ws-rad1", "1"), ("pacs-rad", "4"), ("fw1", "7"), ("web1", "3"), ("dc1", "6"), ("adm1", "8")],
)
def test_a_source_is_of_the_kind_that_its_roles_make_it(host: str, kind: str) -> None:
    assert settings(host)["audit"]["kind"] == kind


def test_every_host_is_named_by_name_and_address_and_peers_by_their_ae_title() -> None:
    names = settings("ct1")["audit"]["names"]
    for name, host in REFERENCE.hosts.items():
        assert names[name] == names[str(host.address)] == REFERENCE.fqdn(name)
    assert (names["PACSRAD"], names["RIS1"], "MR1" in names) == (
        "pacs-rad.imaging.internal",
        "ris1.imaging.internal",
        False,
    )


def test_the_units_are_those_of_the_hosts_services() -> None:
    units = settings("pacs-rad")["audit"]["units"]
    assert {"orthanc.service", "haproxy.service", "rsyslog.service"} <= set(units)
    assert "pacslab-crl.service" not in units  # it runs each minute


def shipped() -> set[str]:
    """The files of the simulators that the role brings."""
    (task, *_) = yaml.safe_load((ROLE / "tasks/install.yml").read_text("utf-8"))
    entries = [str(entry.get("source") or entry.get("tree")) for entry in task["pacslab.lab.configure"]["files"]]
    return {entry.removeprefix("{{ role_path }}/../../") for entry in entries if "../../" in entry}


def test_what_is_brought_is_what_the_image_is_made_of() -> None:
    sources = yaml.safe_load((ROLE / "meta/pacslab.yml").read_text("utf-8"))["sources"]
    assert shipped() == set(sources)


def test_the_daemon_needs_nothing_beyond_what_is_brought_and_pythons_own(tmp_path: Path) -> None:
    for name in shipped():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(ROOT / name)
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import simulators.audit.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-IS", "-c", program], capture_output=True, text=True, check=True)
    foreign = {name.partition(".")[0] for name in done.stdout.split()} - sys.stdlib_module_names - {"__main__"}
    assert foreign <= {"simulators"}


def test_the_launcher_begins_the_daemon() -> None:
    tree = ast.parse((ROLE / "files/pacslab-audit").read_text("utf-8"))
    assert [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)] == ["simulators.audit.serve"]
