"""What is asked over HTTP, such as ``GET /relations/treatment/n.okafor``, and how it is answered."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = "/relations"
SERVICE, CERTIFICATE = "relations-tls", "relations"
LOOPBACK = "relations"
"""The service behind the edge."""
TREATMENT_DAYS = 90
"""How long an order makes a relationship, after it was last changed."""


class Relation(StrEnum):
    """Who is asked about: a person who treats, by the name at sign-on, or a department that sees."""

    TREATMENT = "treatment"
    DEPARTMENT = "department"


def path_of(relation: str, who: str) -> str:
    """Return the resource below :data:`ROOT`."""
    return f"/{Relation(relation)}/{quote(who, safe='')}"


def told(patients: Iterable[str]) -> bytes:
    """Write an answer."""
    return json.dumps({"patients": sorted(patients)}).encode()


def patients_in(answer: bytes) -> frozenset[str]:
    """Read an answer.

    Raises:
        ValueError: it is none.
    """
    content = json.loads(answer)
    patients = content.get("patients") if isinstance(content, dict) else None
    if not isinstance(patients, list) or not all(isinstance(patient, str) and patient for patient in patients):
        raise ValueError("no list of patients")
    return frozenset(patients)
