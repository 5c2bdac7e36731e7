"""The reference site with a host that watches all other zones, whether or not it has one of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lab.topology.model import Zone
from tests.unit.roles.rendered import REFERENCE

WITNESS = "witness1"
_ZONE = Zone.model_validate({"vlan": 4000, "subnet": "10.25.0.0/24", "isolated": True, "purpose": "Who watches"})
_LIKE = next(host for host in REFERENCE.hosts.values() if "trust" in host.roles and not host.gateway)
_HOST = {"zone": "watching", "address": _ZONE.subnet[11], "roles": [*_LIKE.roles, "ids"], "mirror": "all"}
_BARE: dict[str, Any] = {"ae_title": None, "modality": None, "functions": [], "device": None}

SITE = replace(
    REFERENCE,
    topology=REFERENCE.topology.model_copy(
        update={
            "zones": {**REFERENCE.topology.zones, "watching": _ZONE},
            "hosts": {**REFERENCE.hosts, WITNESS: _LIKE.model_copy(update={**_BARE, **_HOST})},
        }
    ),
)
