"""``status`` shows what was changed by hand on a running host, and ``up`` puts it right, without touching the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab_commands import pacslab, succeed, until

if TYPE_CHECKING:
    from lab.engine.lab import Lab

HOLES = {
    "a rule put in": "insert rule inet filter forward ip saddr 10.24.99.11 tcp dport 2762 accept",
    "an element put in": 'add element inet filter flows { "vlan99" . 10.24.99.11 . 10.24.60.11 . tcp . 2762 }',
    "a chain emptied": "flush chain inet filter refuse",
    "everything gone": "flush ruleset",
}


def started(lab: Lab, unit: str) -> dict[str, str]:
    """When a unit of each host was started last; empty where it is not."""
    show = ["systemctl", "show", "--property=ActiveEnterTimestampMonotonic", "--value", unit]
    return {host: lab.run(host, show).stdout.strip() for host in lab.site.hosts}


@pytest.mark.parametrize("change", HOLES.values(), ids=HOLES.keys())
def test_a_filter_changed_by_hand_is_seen_and_restored(clone: Lab, change: str) -> None:
    (gateway,) = [name for name, host in clone.site.hosts.items() if host.gateway]
    before = started(clone, "nftables.service")
    assert clone.run(gateway, ["nft", change]).code == 0
    assert until(lambda: not clone.health()[gateway].healthy)
    ran = pacslab("status", "--lab", clone.name, "--json")
    assert ran.code == 3
    (ill,) = [host for host in ran.json["hosts"] if not host["healthy"]]
    assert ill["name"] == gateway
    failed = [service["name"] for service in ill["services"] if not service["healthy"]]
    service, output = clone.health()[gateway].first_failure()
    assert service in failed
    assert "rules in force" in output
    succeed("up", "--lab", clone.name)
    assert clone.run(gateway, ["/usr/local/lib/pacslab/filter", "check", "zones"]).code == 0
    after = started(clone, "nftables.service")
    assert {host for host in before if before[host] != after[host]} == {gateway}


def test_what_traffic_changes_in_the_filter_is_no_change(clone: Lab) -> None:
    for target in ("fw1", "pacs-rad"):
        address = str(clone.site.hosts[target].address)
        attempt = f"import socket; socket.create_connection(({address!r}, 9), timeout=1)"
        assert clone.run("attacker1", ["python3", "-c", attempt]).code != 0
        assert clone.run(target, ["/usr/local/lib/pacslab/filter", "check"]).code == 0


def test_a_service_stopped_a_moment_ago_runs_again_after_up(clone: Lab) -> None:
    others = started(clone, "haproxy.service")
    assert clone.run("ca1", ["systemctl", "stop", "nginx.service"]).code == 0
    succeed("up", "--lab", clone.name)
    assert clone.run("ca1", ["systemctl", "is-active", "nginx.service"]).stdout == "active\n"
    assert started(clone, "haproxy.service") == others


def test_a_health_agent_that_ended_runs_again_after_up(clone: Lab) -> None:
    assert clone.run("us1", ["systemctl", "stop", "pacslab-health.service"]).code == 0
    succeed("up", "--lab", clone.name)
    assert clone.run("us1", ["systemctl", "is-active", "pacslab-health.service"]).stdout == "active\n"
