"""Diagnostic service sections that an order can ask for (OBR-24), and what their stations are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Section:
    """A section: the modality (0008,0060) of its stations, and a function that tells them apart from others of it."""

    modality: str
    function: str | None = None


SECTIONS: Mapping[str, Section] = {
    "CT": Section("CT"),
    "MR": Section("MR"),
    "US": Section("US"),
    "DX": Section("DX"),
    "CUS": Section("US", "echocardiography"),
}
"""By code: the modality's own where it is a section, as IHE has it; CUS (cardiac ultrasound) is of HL7 table 0074."""

APART = frozenset(section.function for section in SECTIONS.values() if section.function)
"""Functions of stations that are kept for a section of their own, and are no stations of their modality at large."""
