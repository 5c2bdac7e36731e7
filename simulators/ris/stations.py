"""On which station a procedure step is scheduled."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.settings import Caller, Settings


def stations(settings: Settings, modality: str) -> list[Caller]:
    """Return the stations of a modality: callers with an AE title that may query the worklist."""
    return [
        caller
        for caller in settings.find_callers("dicom-tls", permit="MWL")
        if caller.ae_title and caller.modality == modality
    ]


def choose(candidates: list[Caller], waiting: Mapping[str, int]) -> Caller:
    """Return the station with the fewest steps waiting (by AE title); the first in the site's order among equals."""
    return min(candidates, key=lambda station: waiting.get(station.ae_title or "", 0))
