"""A small site and its roles, written into a folder of the test, to be broken one mistake at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology import load_site
from lab.topology.problems import Problem, TopologyError

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology import Site

SITE = """\
site: tiny
title: A tiny site
domain: tiny.internal
zones:
  core:
    vlan: 10
    subnet: 10.0.10.0/24
    purpose: Servers
  scanners:
    vlan: 20
    subnet: 10.0.20.0/24
    isolated: true
    purpose: Scanners
hosts:
  fw1:
    zone: core
    address: 10.0.10.1
    gateway: true
    roles: [base]
    asset: {owner: IT, criticality: high, purpose: Firewall}
  pacs1:
    zone: core
    address: 10.0.10.11
    roles: [base, archive]
    ae_title: PACS1
    functions: [primary-archive]
    asset: {owner: Radiology, criticality: high, regulated: true, purpose: Archive}
  ct1:
    zone: scanners
    address: 10.0.20.11
    roles: [base, scanner]
    ae_title: CT1
    modality: CT
    functions: [acquisition]
    asset: {owner: Radiology, criticality: high, regulated: true, purpose: Scanner}
  ct2:
    zone: scanners
    address: 10.0.20.12
    roles: [base, scanner]
    ae_title: CT2
    modality: CT
    functions: [acquisition]
    asset: {owner: Radiology, criticality: high, regulated: true, purpose: Scanner}
flows:
  - from: role:scanner
    to: pacs1
    service: dicom-tls
    permits: [C-ECHO, C-STORE]
    why: RAD-8 Modality Images Stored
  - from: fw1
    to: pacs1
    service: web
    why: Administration
"""

ROLES = {
    "base": "summary: Every host",
    "home": """\
summary: A partner's sign-on
services:
  partner-sign-on: {port: 443, unit: web.service, home: true, remedy: Look at it}
""",
    "watcher": "summary: Watches\nmirror: It looks at what others send\n",
    "archive": """\
summary: Keeps images
services:
  dicom-tls:
    port: 2762
    unit: edge.service
    remedy: Look at it
    ae_titles: true
    permits:
      standard: PS3.4, PS3.7
      words: {C-ECHO: PS3.7 9.1.5, C-STORE: PS3.7 9.1.1, C-FIND: PS3.7 9.1.2, C-GET: PS3.7 9.1.3, N-ACTION: PS3.4 J}
  dicom: {port: 4242, scope: loopback, unit: archive.service, remedy: Look at it}
  hl7-tls:
    port: 2575
    unit: edge.service
    remedy: Look at it
    permits: {standard: HL7 v2.5.1, pattern: '[A-Z]{3}[\\^][A-Z][0-9]{2}', form: 'a message, such as ADT^A04'}
  web: {port: 8443, unit: edge.service, remedy: Look at it}
  cleaner: {unit: cleaner.timer, remedy: Look at it}
certificate_profiles:
  dicom-service: {usages: [serverAuth]}
  dicom-node: {usages: [clientAuth]}
certificates:
  dicom: {profile: dicom-service}
functions:
  primary-archive: {meaning: Takes images}
""",
    "scanner": """\
summary: Makes images
after: [base]
services:
  results: {port: 2762, unit: scanner.service, remedy: Look at it}
certificates:
  dicom: {profile: dicom-node, owner: scanner}
functions:
  acquisition: {meaning: Acquires images, single: false}
""",
    "second_archive": """\
summary: Offers what the archive offers
services:
  web: {port: 8444, unit: other.service, remedy: Look at it}
""",
}


def write_roles(folder: Path, roles: dict[str, str] | None = None) -> Path:
    """Write ``meta/pacslab.yml`` of each role and return the roles folder."""
    for name, text in (ROLES if roles is None else roles).items():
        (folder / "roles" / name / "meta").mkdir(parents=True)
        (folder / "roles" / name / "meta" / "pacslab.yml").write_text(text, "utf-8")
    return folder / "roles"


def tiny_site(folder: Path, text: str = SITE) -> Site:
    """Write a site and its roles, and load it."""
    path = folder / "topology.yml"
    path.write_text(text, "utf-8")
    return load_site(path, write_roles(folder))


def mistakes(folder: Path, text: str) -> list[Problem]:
    """Return what loading a site reports; none when it loads."""
    try:
        tiny_site(folder, text)
    except TopologyError as error:
        return error.problems
    return []


def change(old: str, new: str, text: str = SITE) -> str:
    """Return the site with one piece of text replaced; the piece must be there."""
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def line_of(text: str, marker: str) -> int:
    """Return the line on which a piece of text stands first."""
    return text[: text.index(marker)].count("\n") + 1
