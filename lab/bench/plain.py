"""A clone of a lab without TLS, edges and packet filters: the peer of what is measured with them."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lab.deadline import wait_until
from lab.errors import EngineError
from lab.hospital.archive import Archive, archives
from lab.hospital.database import SERVICE as DATABASE
from lab.hospital.errors import HospitalError
from lab.settings import ROOT

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.topology.site import Site

BEHIND = {"dicom-tls": "dicom", "hl7-tls": "hl7", "dicomweb-tls": "http"}
"""The application's own service behind each edge."""
PROGRAM = Path(__file__).with_name("programs") / "plain_host.py"
MODULE = ROOT / "simulators" / "load" / "plain.py"
TAKEN_WITHIN = 60.0
"""Seconds in which an archive has to answer again."""
POLL = 0.5


def take_off(lab: Lab) -> None:
    """Take the security off every host of a lab that is thrown away afterwards.

    Raises:
        EngineError: a host is not as it is known here, or an archive does not come back.
    """
    told = json.dumps(
        {
            "ports": ports(lab.site),
            "addresses": {name: str(host.address) for name, host in lab.site.hosts.items()},
            "module": MODULE.read_text("utf-8"),
        }
    )
    servers = [name for name in lab.site.managed if DATABASE in lab.site.services(name)]
    others = [name for name in lab.site.managed if name not in servers]
    with ThreadPoolExecutor(max_workers=4) as pool:
        for hosts in (servers, others):  # whoever starts again looks for its database at once
            list(pool.map(partial(_take_off, lab, told), hosts))
    for archive in archives(lab.site):
        if not wait_until(partial(_answers, lab, archive), TAKEN_WITHIN, POLL):
            raise EngineError(
                f"{archive} does not answer without its security.",
                remedy=f"See `pacslab logs {archive} --lab {lab.name}`.",
            )


def ports(site: Site) -> dict[str, dict[str, int]]:
    """For each host and service with an edge, the port on which the application behind it listens."""
    found: dict[str, dict[str, int]] = {}
    for name in site.managed:
        services = site.services(name)
        own = {
            edge: services[application].port
            for edge, application in BEHIND.items()
            if edge in services and application in services
        }
        found[name] = {edge: port for edge, port in own.items() if port is not None}
    return found


def _take_off(lab: Lab, told: str, host: str) -> None:
    done = lab.run(host, ["python3", "-I", "-", told], input=PROGRAM.read_bytes(), timeout=120)
    if done.code:
        raise EngineError(
            f"The security of {host} was not taken off: {done.stderr.strip()[-300:]}",
            remedy="lab/bench/programs/plain_host.py has to follow what the roles configure.",
        )


def _answers(lab: Lab, archive: str) -> bool:
    try:
        Archive(lab, archive).count("Study")
    except HospitalError:
        return False
    return True
