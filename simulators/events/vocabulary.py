"""What the tables of actions and reasons consist of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Facts = dict[str, Any]
"""Keys of an event, besides those that say what it is and how it ended."""


class Outcome(StrEnum):
    """How an action ended."""

    SUCCESS = "success"
    REFUSED = "refused"
    FAILED = "failed"
    WAITING = "waiting"


OUTCOMES: dict[Outcome, str] = {
    Outcome.SUCCESS: "it was done",
    Outcome.REFUSED: "a rule said no: here, or at the peer",
    Outcome.FAILED: "it could not be done",
    Outcome.WAITING: "it could not be done yet; it is kept and tried again",
}
"""What each outcome means."""


@dataclass(frozen=True)
class Reason:
    """Why an action did not succeed.

    Attributes:
        word: what stands in the line.
        means: the sentence for the docs.
        outcome: ``refused`` when a rule said no, ``failed`` otherwise; a line whose work is kept says ``waiting``.
    """

    word: str
    means: str
    outcome: Outcome


@dataclass(frozen=True)
class Action:
    """Something that programs do, or that is done to them, and that leaves a line however it ends.

    Attributes:
        word: what stands in the line.
        means: the sentence for the docs.
        programs: who writes it, by the name under which the collector keeps the line.
        transactions: its names in IHE, DICOM or HL7; a caller says which when there are several.
        facts: the keys besides the fixed ones that its lines may have.
    """

    word: str
    means: str
    programs: tuple[str, ...]
    transactions: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
