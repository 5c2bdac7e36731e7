"""A site for tests of trust and filters: three zones, a publisher of status, a collector, two scanners, a visitor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tests.unit.site_builder import build_site

if TYPE_CHECKING:
    from lab.topology.site import Site

TOPOLOGY = """
site: tiny
title: A tiny site
domain: tiny.internal
zones:
  core: {vlan: 10, subnet: 10.0.10.0/24, purpose: Servers}
  scanners: {vlan: 20, subnet: 10.0.20.0/24, isolated: true, purpose: Scanners}
  guest: {vlan: 30, subnet: 10.0.30.0/24, isolated: true, purpose: Visitors}
hosts:
  fw1:
    zone: core
    address: 10.0.10.1
    gateway: true
    roles: [base, trust, time_source]
  ca1: {zone: core, address: 10.0.10.11, roles: [base, trust, certificate_status]}
  pacs1: {zone: core, address: 10.0.10.12, roles: [base, trust, archive, orthanc]}
  ct1: {zone: scanners, address: 10.0.20.11, roles: [base, trust, scanner]}
  ct2: {zone: scanners, address: 10.0.20.12, roles: [base, trust, scanner]}
  guest1: {zone: guest, address: 10.0.30.11, roles: [base]}
flows:
  - {from: 'role:trust', to: ca1, service: status, why: Certificate status}
  - from: role:scanner
    to: pacs1
    service: dicom-tls
    why: RAD-8 "Modality Images Stored", and whatever else needs more words than a comment of the firewall holds
  - {from: ct1, to: fw1, service: time, why: Time}
"""
CATALOG = {
    "base": {"summary": "Every host"},
    "trust": {
        "summary": "Certificates",
        "certificate_profiles": {"syslog-node": {"usages": ["clientAuth"]}},
        "certificates": {"syslog": {"profile": "syslog-node"}},
    },
    "orthanc": {"summary": "Archive with a password", "secrets": {"orthanc_http": "Its password"}},
    "archive": {
        "summary": "Keeps images",
        "services": {
            "dicom-tls": {"port": 2762, "unit": "edge.service", "remedy": "Look", "presents": "dicom-service"}
        },
        "certificate_profiles": {
            "dicom-service": {"usages": ["serverAuth"]},
            "dicom-node": {"usages": ["clientAuth"]},
            "web": {"usages": ["serverAuth"]},
        },
        "certificates": {"dicom": {"profile": "dicom-service"}, "dicomweb": {"profile": "web"}},
    },
    "scanner": {"summary": "Makes images", "certificates": {"dicom-client": {"profile": "dicom-node"}}},
    "certificate_status": {
        "summary": "Publishes status",
        "services": {
            "status": {"port": 80, "unit": "web.service", "remedy": "Look", "provides": "certificate-status"},
        },
        "certificate_profiles": {"ocsp-signer": {"usages": ["OCSPSigning"]}},
        "certificates": {"ocsp": {"profile": "ocsp-signer"}},
    },
    "time_source": {
        "summary": "Gives time",
        "services": {"time": {"port": 123, "protocol": "udp", "unit": "time.service", "remedy": "Look"}},
    },
}


def tiny_site(*, domain: str = "tiny.internal", without: str | None = None) -> Site:
    """The site, with another domain or without one of its hosts."""
    data = yaml.safe_load(TOPOLOGY)
    data["domain"] = domain
    if without is not None:
        del data["hosts"][without]
    return build_site(data, CATALOG)
