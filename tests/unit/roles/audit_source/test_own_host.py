"""The repository's own host sends audit messages as others do: to itself, through its own edge."""

from __future__ import annotations

import json

from lab.topology.load import TRIALS_DIR
from tests.unit.roles.rendered import REFERENCE, files_of
from tests.unit.site_builder import committed_site

MONITORING = committed_site("monitoring", TRIALS_DIR)
ADDRESSES, FLOWS = "/etc/haproxy/maps/addresses.map", "/etc/haproxy/maps/flows.map"


def test_the_repository_s_host_sends_to_itself_alone() -> None:
    """It has a flow to another collector, which takes no audit messages."""
    settings = json.loads(files_of(MONITORING, "srv1", "audit_source")["/etc/pacslab/audit.json"].text)
    (peer,) = settings["peers"]
    assert peer["address"] == str(MONITORING.hosts["srv1"].address)
    assert peer["identity"] == MONITORING.identity("srv1", "syslog-tls")


def test_every_other_host_sends_where_its_flow_leads() -> None:
    settings = json.loads(files_of(MONITORING, "pc1", "audit_source")["/etc/pacslab/audit.json"].text)
    assert [peer["name"] for peer in settings["peers"]] == ["srv1"]


def test_the_edge_knows_its_own_host_as_a_caller_of_what_its_roles_ask_for_and_of_nothing_else() -> None:
    own = "syslog-tls/srv1.monitoring.internal "
    for path in (ADDRESSES, FLOWS):
        lines = files_of(MONITORING, "srv1", "haproxy")[path].text.splitlines()
        assert len([line for line in lines if line.startswith(own)]) == 1
        assert len([line for line in lines if "/srv1." in line]) == 1
    assert f"{own}192.168.32.11" in files_of(MONITORING, "srv1", "haproxy")[ADDRESSES].text.splitlines()


def test_a_host_whose_roles_ask_nothing_of_its_edges_is_no_caller_of_them() -> None:
    for name, host in REFERENCE.managed.items():
        if "haproxy" in host.roles and "siem" not in host.roles:
            text = files_of(REFERENCE, name, "haproxy")[ADDRESSES].text
            assert f"/{REFERENCE.fqdn(name)} " not in text, name


def test_the_repository_expects_to_hear_of_its_own_host() -> None:
    found = json.loads(files_of(MONITORING, "srv1", "siem")["/etc/pacslab/siem-site.json"].text)
    assert "srv1" in found["senders"]
    assert {"haproxy.service", "pacslab-siem.service"} <= set(found["audited"]["srv1"])
