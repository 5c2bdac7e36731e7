"""A hospital of more than forty hosts and eighty flows: the reference site with four more departments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from lab.topology import load_site
from lab.topology.load import site_path

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology import Site

DEPARTMENTS = {
    "vasc": ("Vascular surgery", "US"),
    "nuc": ("Nuclear medicine", "CT"),
    "mam": ("Mammography", "DX"),
    "ped": ("Paediatrics", "MR"),
}


def large_site(folder: Path) -> Site:
    """Write the site and load it."""
    description = yaml.safe_load(site_path("reference").read_text("utf-8"))
    for number, (short, (name, modality)) in enumerate(DEPARTMENTS.items()):
        _add(description, number, short, name, modality)
    path = folder / "topology.yml"
    path.write_text(yaml.safe_dump(description, sort_keys=False), "utf-8")
    return load_site(path)


def _add(description: dict[str, Any], number: int, short: str, name: str, modality: str) -> None:
    """Add a department: an archive, three scanners and two workstations in zones of their own, and its flows."""
    zones, hosts, flows = description["zones"], description["hosts"], description["flows"]
    vlan = 150 + 10 * number
    for place, (kind, purpose) in enumerate(
        (("archive", "Archive"), ("modality", "Scanners"), ("reading", "Workstations"))
    ):
        subnet = f"10.24.{vlan + place}.0/24"
        zones[f"{kind}-{short}"] = {"vlan": vlan + place, "subnet": subnet, "purpose": f"{name}: {purpose}"}
    zones[f"modality-{short}"]["isolated"] = True

    def add(host: str, zone: str, address: str, profile: str, **more: object) -> None:
        asset = {"owner": name, "criticality": "high", "regulated": True, "purpose": f"{name}: {host}"}
        facts = {"zone": zone, "address": address, "profile": profile, "ae_title": host.upper().replace("-", "")}
        hosts[host] = {**facts, **more, "asset": asset}

    pacs = f"pacs-{short}"
    scanners = [f"{short}{place}" for place in (1, 2, 3)]
    reading, quality = f"ws-{short}1", f"ws-{short}2"
    add(pacs, f"archive-{short}", f"10.24.{vlan}.11", "archive")
    for place, scanner in enumerate(scanners):
        add(scanner, f"modality-{short}", f"10.24.{vlan + 1}.{11 + place}", "modality", modality=modality)
    for place, workstation in enumerate((reading, quality)):
        add(workstation, f"reading-{short}", f"10.24.{vlan + 2}.{11 + place}", "workstation")

    def flow(source: object, target: object, service: str, why: str, permits: list[str] | None = None) -> None:
        allowed = {"permits": permits} if permits else {}
        flows.append({"from": source, "to": target, "service": service, **allowed, "why": f"{name}: {why}"})

    both = [reading, quality]
    flow(pacs, "db1", "postgresql", "the archive's own database")
    flow("ris1", pacs, "hl7-tls", "RAD-4 Procedure Scheduled", ["ORM^O01", "ADT^A08", "ADT^A40"])
    flow("ehr1", pacs, "hl7-tls", "RAD-12 Patient Update", ["ADT^A08"])
    flow(scanners, "ris1", "dicom-tls", "RAD-5 Query Modality Worklist", ["C-ECHO", "MWL", "MPPS"])
    flow(scanners, pacs, "dicom-tls", "RAD-8 Modality Images Stored", ["C-ECHO", "C-STORE", "N-ACTION"])
    flow(pacs, scanners, "dicom-tls", "RAD-10 Storage Commitment", ["N-EVENT-REPORT"])
    flow(pacs, "vna1", "dicom-tls", "archive to the vendor neutral archive", ["C-ECHO", "C-STORE"])
    flow("vna1", pacs, "dicom-tls", "priors are brought back", ["C-ECHO", "C-STORE"])
    flow(pacs, "pacs-rad", "dicom-tls", "images for joint reading", ["C-ECHO", "C-STORE"])
    flow(
        reading,
        pacs,
        "dicom-tls",
        "RAD-14 Query Images, RAD-16 Retrieve Images",
        ["C-ECHO", "C-FIND", "C-GET", "C-STORE"],
    )
    flow(
        quality, pacs, "dicom-tls", "RAD-19 Creator Presentation State Stored", ["C-ECHO", "C-FIND", "C-GET", "C-STORE"]
    )
    flow(both, "vna1", "dicom-tls", "RAD-16 Retrieve Images (priors)", ["C-ECHO", "C-FIND", "C-GET"])
    flow(pacs, "ris1", "hl7-tls", "images are there", ["ORM^O01"])
    flow(reading, "ris1", "hl7-tls", "RAD-128 Send Imaging Result", ["ORU^R01"])
    flow(both, pacs, "dicomweb-tls", "RAD-107 WADO-RS Retrieve", ["QIDO-RS", "WADO-RS"])
    flow(both, "vna1", "dicomweb-tls", "RAD-107 WADO-RS Retrieve (priors)", ["QIDO-RS", "WADO-RS"])
    flow(both, "pacs-rad", "dicomweb-tls", "RAD-107 WADO-RS Retrieve (radiology)", ["QIDO-RS", "WADO-RS"])
