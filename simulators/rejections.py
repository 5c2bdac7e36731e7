"""Rejection notes (IHE RAD-66): key object selections whose title says why images are not to be used (PS3.16 CID 7010).

Titles and issues stand here for both sides: the order filler, which makes notes, and archives, which act on them.
"""

from __future__ import annotations

from enum import StrEnum

KEY_OBJECT_SELECTION = "1.2.840.10008.5.1.4.1.1.88.59"
"""SOP class of the document (PS3.3 A.35.4)."""
SCHEME = "DCM"
PERMIT = "REJECTION"
"""The word by which a flow lets a host store rejection notes, and nothing else."""


class Title(StrEnum):
    """Document titles that reject what they name (PS3.16 CID 7010)."""

    QUALITY = "113001"
    PATIENT_SAFETY = "113037"
    WORKLIST_ENTRY = "113038"
    RETENTION = "113039"


TITLES: dict[Title, str] = {
    Title.QUALITY: "Rejected for Quality Reasons",
    Title.PATIENT_SAFETY: "Rejected for Patient Safety Reasons",
    Title.WORKLIST_ENTRY: "Incorrect Modality Worklist Entry",
    Title.RETENTION: "Data Retention Policy Expired",
}
"""Each title's meaning."""

WORDS: dict[str, Title] = {
    "quality": Title.QUALITY,
    "patient-safety": Title.PATIENT_SAFETY,
    "worklist-entry": Title.WORKLIST_ENTRY,
    "retention": Title.RETENTION,
}
"""What a person types for a title."""

MODIFIER = ("113011", "Document Title Modifier")
"""Names what was wrong, which a title of quality needs (PS3.16 TID 2010)."""

ISSUES: dict[str, tuple[str, str]] = {
    "artifact": ("111207", "Image artifact(s)"),
    "grid-artifact": ("111208", "Grid artifact(s)"),
    "positioning": ("111209", "Positioning"),
    "motion-blur": ("111210", "Motion blur"),
    "under-exposed": ("111211", "Under exposed"),
    "over-exposed": ("111212", "Over exposed"),
    "no-image": ("111213", "No image"),
    "double-exposure": ("113026", "Double exposure"),
    "mechanical-failure": ("111216", "Mechanical failure"),
    "electrical-failure": ("111217", "Electrical failure"),
    "software-failure": ("111218", "Software failure"),
    "image-processing": ("111219", "Inappropriate image processing"),
    "other-failure": ("111220", "Other failure"),
    "unknown-failure": ("111221", "Unknown failure"),
}
"""What a person types for an issue of quality, with its code and meaning (PS3.16 CID 7011)."""
