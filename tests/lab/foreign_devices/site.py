"""The site of third-party devices, with an Orthanc of Debian as archive and as the system of an old scanner."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml

from lab.engine.client import Docker
from lab.engine.images import Images
from lab.events import Bus
from lab.images.container import CLEAN_UP, PREPARE, UPDATE_LISTS, body, run
from lab.images.ensure import ensure_images
from lab.topology.load import load_site, site_path

if TYPE_CHECKING:
    from pathlib import Path

    from lab.topology.site import Site

NAME = "third-party-devices"
REPOSITORY, TAG = "pacslab-test/orthanc", "debian"
IMAGE = f"{REPOSITORY}:{TAG}"
BUNDLE = "/etc/tls"
CONFIGURATIONS = "/etc/orthanc-of-the-test"
PLAIN = {
    "HttpPort": 8042,
    "RemoteAccessAllowed": False,
    "AuthenticationEnabled": False,
    "DicomCheckCalledAet": False,
    "StorageDirectory": "/var/lib/orthanc/of-the-test",
    "Plugins": [],
}


def configurations(site: Site) -> dict[str, dict[str, Any]]:
    """What each Orthanc is told: as a person would copy it from the page of its bundle."""
    archive, scanner = site.hosts["vna9"], site.hosts["us9"]
    plain = site.plain_ports("us9")[("dicom-tls", "pacs1")]
    return {
        "vna9": {
            **PLAIN,
            "DicomAet": archive.ae_title,
            "DicomPort": site.services("vna9")["dicom-tls"].port,
            "DicomTlsEnabled": True,
            "DicomTlsCertificate": f"{BUNDLE}/dicom.crt",
            "DicomTlsPrivateKey": f"{BUNDLE}/dicom.key",
            "DicomTlsTrustedCertificates": f"{BUNDLE}/ca.crt",
            "DicomTlsRemoteCertificateRequired": True,
        },
        "us9": {
            **PLAIN,
            "DicomAet": scanner.ae_title,
            "DicomPort": next(entry.port for entry in site.services("us9").values() if entry.beside),
            "DicomModalities": {
                "pacs": {"AET": site.hosts["pacs1"].ae_title, "Host": "127.0.0.1", "Port": plain},
            },
        },
    }


def write_site(inventories: Path) -> Path:
    """Write the site's description into a folder of sites, with its two images."""
    description = yaml.safe_load(site_path(NAME).read_text("utf-8"))
    for host, more in (("vna9", {"bundle": BUNDLE}), ("us9", {"shim": True})):
        command = ["Orthanc", f"{CONFIGURATIONS}/{host}.json"]
        description["hosts"][host]["device"] = {"image": IMAGE, "command": command, **more}
    path = inventories / NAME / "topology.yml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(description, sort_keys=False), "utf-8")
    return path


def build_image(site: Site) -> None:
    """Make an image of Debian with its own Orthanc, and no role of ours; it stays for the next run."""
    docker = Docker()
    base = ensure_images(site, Bus())[()]
    name = "pacslab-test-orthanc"
    files = "".join(
        f"cat > {CONFIGURATIONS}/{host}.json <<'END'\n{json.dumps(content, indent=1)}\nEND\n"
        for host, content in configurations(site).items()
    )
    docker.remove(name)  # of a run that was killed
    docker.create(name, {**body(base, {}), "Labels": {}})  # unlabelled: a build of images removes what others left
    try:
        docker.start(name)
        for script in (
            PREPARE,
            UPDATE_LISTS,
            "apt-get install -y --no-install-recommends orthanc",
            f"mkdir -p {CONFIGURATIONS} {PLAIN['StorageDirectory']}\n{files}",
            CLEAN_UP,
        ):
            run(docker, name, script)
        Images(docker.path).commit(name, REPOSITORY, TAG, {"Cmd": ["Orthanc"]})
    finally:
        docker.remove(name)


def prepare(inventories: Path) -> Site:
    """Write the site, and make its image."""
    site = load_site(write_site(inventories))
    build_image(site)
    return site
