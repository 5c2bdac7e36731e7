"""A small site, made in memory, on which verification is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from lab.topology.site import Site

DESCRIPTION = """
site: small
zones:
  middle: {vlan: 10, subnet: 10.0.10.0/24, purpose: Servers}
  devices: {vlan: 20, subnet: 10.0.20.0/24, isolated: true, purpose: Scanners}
  archive: {vlan: 30, subnet: 10.0.30.0/24, purpose: Archives}
  guest: {vlan: 40, subnet: 10.0.40.0/24, purpose: Visitors}
hosts:
  fw: {zone: middle, address: 10.0.10.1, gateway: true, roles: [plain]}
  siem: {zone: middle, address: 10.0.10.11, roles: [collector]}
  ct1: {zone: devices, address: 10.0.20.11, roles: [plain]}
  ct2: {zone: devices, address: 10.0.20.12, roles: [plain]}
  pacs: {zone: archive, address: 10.0.30.11, roles: [archive]}
  cache: {zone: archive, address: 10.0.30.12, roles: [plain]}
  guest: {zone: guest, address: 10.0.40.11, roles: [plain]}
flows:
  - {from: [fw, ct1, ct2, pacs, cache], to: siem, service: syslog-tls, why: Logs}
  - {from: [ct1, ct2], to: pacs, service: dicom-tls, permits: [C-STORE], why: Images}
"""
UNIT = {"unit": "x.service", "remedy": "r"}
ROLES = {
    "plain": {"summary": "Nothing"},
    "collector": {
        "summary": "Logs",
        "services": {"syslog-tls": {"port": 6514, "provides": "log-collection", **UNIT}},
    },
    "archive": {
        "summary": "Images",
        "services": {"dicom-tls": {"port": 2762, **UNIT}, "inside": {"port": 2763, "scope": "loopback", **UNIT}},
    },
}


def small_site() -> Site:
    """Four zones, one of them isolated; a log collector, an archive, two scanners, and somebody else's device."""
    return build_site(yaml.safe_load(DESCRIPTION), ROLES)
