"""The JSON Schema of ``topology.yml``, which editors use to complete and check it."""

from __future__ import annotations

import json
from typing import Any

from lab.topology.load import INVENTORIES_DIR
from lab.topology.model import Topology

SCHEMA_PATH = INVENTORIES_DIR / "topology.schema.json"
"""The committed copy that a description's first line names."""


def topology_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12). Rules between parts of a site are not in it: loading checks those."""
    generated: dict[str, Any] = _close(Topology.model_json_schema(by_alias=True))
    heading = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A pacslab site",
        "description": "Zones, hosts and flows of a site: inventories/<site>/topology.yml.",
    }
    return {**heading, **{key: value for key, value in generated.items() if key not in heading}}


def schema_text() -> str:
    """Return the schema as the committed file holds it."""
    return json.dumps(topology_schema(), indent=2) + "\n"


def _close(part: Any) -> Any:
    """Forbid names that no pattern allows, as loading does, and leave out the titles that only repeat a key."""
    if isinstance(part, list):
        return [_close(branch) for branch in part]
    if not isinstance(part, dict):
        return part
    closed = {key: _close(value) for key, value in part.items() if not (key == "title" and isinstance(value, str))}
    if "patternProperties" in closed:
        closed["additionalProperties"] = False
    return closed
