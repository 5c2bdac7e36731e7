"""A modality: what it is told to do, and how far it is with its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.hospital.answers import Answer

if TYPE_CHECKING:
    from lab.hospital.hospital import Hospital

COMMAND = "pacslab-modality"


class WorklistItem(Answer):
    """A scheduled step, as the worklist has it."""

    station: str
    accession: str
    patient_id: str
    description: str


class Worklist(Answer):
    """What the RIS answered to a worklist query."""

    items: list[WorklistItem]


class Images(Answer):
    """How many images are in each state."""

    acquired: int
    stored: int
    committed: int


class PerformedStep(Answer):
    """A procedure step that the modality performs."""

    uid: str
    accession: str
    instances: int
    states: Images
    commitment: str


class Queue(Answer):
    """How far every step and image is."""

    totals: Images
    steps: list[PerformedStep]


class Digests(Answer):
    """SHA-256 of the pixel data of the image files that the modality still has, by SOP Instance UID."""

    digests: dict[str, str]


@dataclass(frozen=True)
class Modality:
    """A modality on its host."""

    hospital: Hospital
    host: str

    def worklist(self) -> list[WorklistItem]:
        """Ask for the scheduled steps (RAD-5)."""
        return self.hospital.ask(self.host, [COMMAND, "worklist", "--json"], Worklist).items

    def perform(self, verb: str, accession: str, *words: str) -> PerformedStep:
        """Begin, store, complete, discontinue, commit, import: a verb that ends with the step's state."""
        return self.hospital.ask(self.host, [COMMAND, verb, accession, *words, "--json"], PerformedStep, timeout=120)

    def acquire_undelivered(self, accession: str, *, images: int) -> None:
        """Perform a step while its archive is away: images are made, and the command ends with what did not arrive."""
        words = ["--images", str(images), "--wait", "1", "--json"]
        self.hospital.run(self.host, [COMMAND, "acquire", accession, *words], timeout=120)

    def queue(self, accession: str) -> Queue:
        """How far it is with an order."""
        return self.hospital.ask(self.host, [COMMAND, "queue", "--accession", accession, "--json"], Queue)

    def digests(self, accession: str) -> dict[str, str]:
        """What the image files of an order hold that are still here; none once the archive has answered for them."""
        return self.hospital.ask(self.host, [COMMAND, "digests", accession, "--json"], Digests).digests
