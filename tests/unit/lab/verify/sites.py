"""A small site, made in memory, on which verification is tried."""

from __future__ import annotations

from pathlib import Path

from lab.topology.model import Topology
from lab.topology.role import Catalog, RoleMeta
from lab.topology.site import Site

ASSET = {"owner": "Test", "criticality": "low", "purpose": "Test"}


def small_site() -> Site:
    """Four zones, one of them isolated; a log collector, an archive, two scanners, and somebody else's device."""
    catalog: Catalog = {
        "plain": RoleMeta.model_validate({"summary": "Nothing"}),
        "collector": RoleMeta.model_validate(
            {
                "summary": "Logs",
                "services": {
                    "syslog-tls": {"port": 6514, "unit": "x.service", "remedy": "r", "provides": "log-collection"},
                },
            }
        ),
        "archive": RoleMeta.model_validate(
            {
                "summary": "Images",
                "services": {
                    "dicom-tls": {"port": 2762, "unit": "x.service", "remedy": "r"},
                    "inside": {"port": 2763, "scope": "loopback", "unit": "x.service", "remedy": "r"},
                },
            }
        ),
    }
    topology = Topology.model_validate(
        {
            "site": "small",
            "title": "Small",
            "domain": "small.internal",
            "zones": {
                "middle": {"vlan": 10, "subnet": "10.0.10.0/24", "purpose": "t"},
                "devices": {"vlan": 20, "subnet": "10.0.20.0/24", "isolated": True, "purpose": "t"},
                "archive": {"vlan": 30, "subnet": "10.0.30.0/24", "purpose": "t"},
                "guest": {"vlan": 40, "subnet": "10.0.40.0/24", "purpose": "t"},
            },
            "hosts": {
                "fw": {"zone": "middle", "address": "10.0.10.1", "gateway": True, "roles": ["plain"], "asset": ASSET},
                "siem": {"zone": "middle", "address": "10.0.10.11", "roles": ["collector"], "asset": ASSET},
                "ct1": {"zone": "devices", "address": "10.0.20.11", "roles": ["plain"], "asset": ASSET},
                "ct2": {"zone": "devices", "address": "10.0.20.12", "roles": ["plain"], "asset": ASSET},
                "pacs": {"zone": "archive", "address": "10.0.30.11", "roles": ["archive"], "asset": ASSET},
                "cache": {"zone": "archive", "address": "10.0.30.12", "roles": ["plain"], "asset": ASSET},
                "guest": {"zone": "guest", "address": "10.0.40.11", "roles": ["plain"], "asset": ASSET},
            },
            "flows": [
                {"from": ["fw", "ct1", "ct2", "pacs", "cache"], "to": "siem", "service": "syslog-tls", "why": "t"},
                {"from": ["ct1", "ct2"], "to": "pacs", "service": "dicom-tls", "permits": ["C-STORE"], "why": "t"},
            ],
        }
    )
    return Site(topology, catalog, Path("small"))
