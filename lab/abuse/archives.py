"""How controls of an archive (Orthanc) are switched off: a setting turned over, or another program in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.abuse.weakening import ASIDE, Edit, EditedFiles, ReplacedService, literal
from lab.hospital.archive import Archive

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.topology.site import Site

SETTINGS = "/etc/orthanc/pacslab.json"
UNIT = "orthanc.service"
TAKEN = f"{ASIDE}/taken"
"""Where the program that takes the archive's place keeps what it is sent."""


def orthanc_setting(name: str, *, shipped: bool, text: str) -> EditedFiles:
    """Turn a setting over that is true or false; Orthanc reads its settings when it starts."""
    values = ("true", "false") if shipped else ("false", "true")
    old, new = (f'"{name}": {value}' for value in values)
    return EditedFiles(
        text,
        (literal(SETTINGS, old, new),),
        effect=("systemctl", "restart", UNIT),
        ready=answers,
    )


def answers(lab: Lab, host: str) -> bool:
    """Whether the archive on a host has come up: its index answers, after its DICOM service listens."""
    Archive(lab, host).ask("/system")
    return True


NO_GATE = "/usr/local/lib/pacslab/pacslab_event.py"
"""A program of the host that asks nothing: Orthanc does not start its plugin without one."""
GATE_OFF = EditedFiles(
    "the archive stores objects without asking its gate",
    (Edit(SETTINGS, r'"PythonScript": "[^"]+"', f'"PythonScript": "{NO_GATE}"'),),
    effect=("systemctl", "restart", UNIT),
    ready=answers,
)


def _port(site: Site, host: str) -> int:
    return site.services(host)["dicom"].port or 0


STORE_ANYTHING = ReplacedService(
    "in the archive's place a program takes every object and looks at none",
    unit=UNIT,
    program="store_anything.py",
    arguments=lambda site, host: (site.hosts[host].ae_title or "", str(_port(site, host)), TAKEN),
    port=_port,
)
