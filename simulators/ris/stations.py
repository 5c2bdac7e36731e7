"""On which station a procedure step is scheduled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.sections import APART, SECTIONS, Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.settings import Caller, Settings


def modality_of(code: str) -> str:
    """Return the modality (0008,0060) that the stations of a section have."""
    return _section(code).modality


def stations(settings: Settings, code: str) -> list[Caller]:
    """Return the stations of a section: callers with an AE title that may query the worklist."""
    section = _section(code)
    return [
        caller
        for caller in settings.find_callers("dicom-tls", permit="MWL")
        if caller.ae_title and caller.modality == section.modality and _belongs(caller, section)
    ]


def choose(candidates: list[Caller], waiting: Mapping[str, int]) -> Caller:
    """Return the station with the fewest steps waiting (by AE title); the first by name among equals."""
    return min(candidates, key=lambda station: (waiting.get(station.ae_title or "", 0), station.name))


def _section(code: str) -> Section:
    return SECTIONS.get(code, Section(code))


def _belongs(caller: Caller, section: Section) -> bool:
    return section.function in caller.functions if section.function else APART.isdisjoint(caller.functions)
