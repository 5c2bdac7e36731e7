"""What the steps of the radiology workflow leave for later ones."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.scenarios.examination.course import Examination, ExaminationFacts


@dataclass(repr=False)
class RadiologyFacts(ExaminationFacts):
    """Besides the first examination: those of other modalities.

    Attributes:
        others: Examinations of other kinds that were performed to their end.
    """

    others: list[Examination] = field(default_factory=list)
