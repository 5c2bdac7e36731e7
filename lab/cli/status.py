"""``pacslab status``: the hosts of a lab and their health."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.engine.client import Docker
from lab.errors import UnhealthyError
from lab.operate.ownership import open_own
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from lab.engine.health import HostHealth
    from lab.engine.lab import Lab

EXAMPLE = """
pacslab status
pacslab status --lab reference --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Status has the common arguments only."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the health of every host; 0 when all are healthy, 3 when not.

    Raises:
        ForeignLabError: the lab of that name is one whose files are in another state.
    """
    lab = open_own(arguments.lab, load_settings(), Docker())
    health = lab.health()
    print(json.dumps(as_dict(lab, health)) if arguments.json else as_text(lab, health))
    return 0 if all(health_of_host.healthy for health_of_host in health.values()) else UnhealthyError.exit_code


def as_dict(lab: Lab, health: dict[str, HostHealth]) -> dict[str, Any]:
    """The health of a lab as ``--json`` prints it."""
    hosts = [
        {
            "name": name,
            "zone": lab.record.hosts[name].zone,
            "address": lab.record.hosts[name].address,
            "state": health_of_host.state,
            "healthy": health_of_host.healthy,
            "services": [{"name": service.name, "healthy": service.healthy} for service in health_of_host.services],
        }
        for name, health_of_host in health.items()
    ]
    return {"lab": lab.name, "site": lab.record.site, "folder": str(lab.folder), "hosts": hosts}


def as_text(lab: Lab, health: dict[str, HostHealth]) -> str:
    """The health of a lab as a table."""
    rows = [("HOST", "ZONE", "ADDRESS", "STATE", "HEALTH")]
    for name, health_of_host in health.items():
        host = lab.record.hosts[name]
        rows.append((name, host.zone, host.address, health_of_host.state, _summary(health_of_host)))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    )


def _summary(one: HostHealth) -> str:
    if one.healthy and not one.services:
        return "runs; nothing is asked of it"
    if one.healthy:
        return f"healthy ({len(one.services)} services)"
    failing = [service for service in one.services if not service.healthy]
    if one.detail or not failing:
        return one.detail
    return "; ".join(f"{service.name}: {service.detail.strip() or 'no answer yet'}" for service in failing)
