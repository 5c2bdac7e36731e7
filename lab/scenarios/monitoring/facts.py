"""What the steps of a day leave for each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.hospital.detections import Detections
from lab.scenarios.failure import NothingToJudge
from lab.scenarios.stage import Stage

if TYPE_CHECKING:
    from datetime import datetime

    from lab.scenarios.examination.course import Examination


@dataclass(frozen=True)
class Done:
    """Something that was done, which has to be on record.

    Attributes:
        host: The system that took part.
        action: The word of docs/events.md for it.
        person: Who did it; empty where nobody signs in for it.
    """

    host: str
    action: str
    person: str = ""

    def __str__(self) -> str:
        """In words."""
        return f"{self.action} at {self.host}{f' by {self.person}' if self.person else ''}"


@dataclass(frozen=True)
class Examined:
    """A patient's examination, and everything that was done about it.

    Attributes:
        done: The order on its way.
        orderer: Who ordered it.
        department: Where it was done: the owner of the station.
    """

    done: Examination
    orderer: str
    department: str


@dataclass(repr=False)
class MonitoringFacts:
    """What the steps leave for later ones.

    Attributes:
        began: When the day began, by the repository's clock.
        examinations: What was examined, the first of the day first.
        about: What was done about each examination, by accession number.
        signed_in: Who signed in where, whatever it was for.
    """

    began: datetime = field(init=False)
    examinations: list[Examined] = field(default_factory=list)
    about: dict[str, set[Done]] = field(default_factory=dict)
    signed_in: set[Done] = field(default_factory=set)


Scene = Stage[MonitoringFacts]


def detections_of(stage: Stage[object]) -> Detections:
    """The judge of the site's repository.

    Raises:
        NothingToJudge: the site keeps no audit messages.
    """
    try:
        return Detections(stage.lab)
    except UsageError as error:
        raise NothingToJudge(error.message) from error
