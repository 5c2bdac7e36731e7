"""Whether two objects with the same SOP Instance UID are the same object, whoever their patient is by now."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

IDENTITY = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "PatientSex")
"""What an image manager changes in a stored object when the patient's identity changes."""
ORIGINAL = "OriginalAttributesSequence"
CHANGED_WITH_IT = frozenset({ORIGINAL, "SpecificCharacterSet"})


def former_identities(stored: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return whom a stored object has belonged to, oldest first, from its notes of changes (PS3.3 C.12.1.1.9)."""
    notes = stored.get(ORIGINAL)
    if not isinstance(notes, list):
        return []
    former: list[dict[str, str]] = []
    for note in notes:
        items = note.get("ModifiedAttributesSequence") if isinstance(note, dict) else None
        if isinstance(items, list):
            former += [{name: str(item[name] or "") for name in IDENTITY if name in item} for item in items]
    return former


def same(stored: Mapping[str, Any], stored_pixels: bytes, arriving: Mapping[str, Any], pixels: bytes) -> bool:
    """Tell whether an arriving object is the stored one.

    Args:
        stored: the elements of the stored object with their values, by keyword.
        stored_pixels: its pixel data and what comes after, as it is encoded.
        arriving: the same of the other.
        pixels: likewise.
    """
    former = former_identities(stored)
    if not former:
        return _digest(stored, stored_pixels, frozenset()) == _digest(arriving, pixels, frozenset())
    # It comes from a sender who has not heard of the change: under one of the former identifiers, or the present one.
    known = {stored.get("PatientID"), *(one["PatientID"] for one in former if "PatientID" in one)}
    if arriving.get("PatientID") not in known:
        return False
    left_out = CHANGED_WITH_IT | frozenset(IDENTITY)
    return _digest(stored, stored_pixels, left_out) == _digest(arriving, pixels, left_out)


def _digest(elements: Mapping[str, Any], pixels: bytes, left_out: frozenset[str]) -> str:
    kept = {name: value for name, value in elements.items() if name not in left_out}
    digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode())
    digest.update(pixels)
    return digest.hexdigest()
