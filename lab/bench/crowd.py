"""A clone with more people than its site has: they stand in its own description, and are brought as everybody is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from lab.engine.lab import Lab
from lab.operate.bring_up import LabBringUp

if TYPE_CHECKING:
    from lab.events import Bus

DEPARTMENTS = ("Radiology", "Cardiology")
"""Whose radiologists they are, in turn: each sees the own department's patients and no others."""
ROLE = "radiologist"
SHARED = {"sign_on_attempts_per_minute": 1200, "sign_on_attempts_at_once": 200, "sign_on_connections": 200}
"""In a hospital each has a workstation; here all share one, whose address may not be what stops them."""
SETTINGS = "group_vars/role_sign_on.yml"


def crowd(number: int) -> dict[str, str]:
    """So many people's names at sign-on, with their departments."""
    return {f"load.{one:03}": DEPARTMENTS[one % len(DEPARTMENTS)] for one in range(number)}


def describe(topology: str, people: dict[str, str]) -> str:
    """A site's description with these people in it."""
    written = yaml.safe_load(topology)
    more = {
        name: {"given": "Load", "family": name.rpartition(".")[2], "department": department, "roles": [ROLE]}
        for name, department in people.items()
    }
    written["people"] = {**written.get("people", {}), **more}
    return yaml.safe_dump(written, sort_keys=False, allow_unicode=True, width=200)


def enlarge(clone: Lab, number: int, bus: Bus) -> tuple[Lab, dict[str, str]]:
    """Add people to a clone that is thrown away, and bring them to its hosts.

    Returns:
        The clone with them, and their departments by name.

    Raises:
        AnsibleError: a host did not take them.
        UnhealthyError: a host is not healthy with them.
    """
    path, people = Path(clone.record.topology), crowd(number)
    path.write_text(describe(path.read_text("utf-8"), people), "utf-8")
    settings = path.parent / SETTINGS
    settings.parent.mkdir(exist_ok=True)
    known = yaml.safe_load(settings.read_text("utf-8")) if settings.exists() else {}
    settings.write_text(yaml.safe_dump({**known, **SHARED}), "utf-8")
    larger = Lab.describe(clone.name, path, clone.folder, clone.record)
    LabBringUp(larger, bus).run()
    return larger, people
