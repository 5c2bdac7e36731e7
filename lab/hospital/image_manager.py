"""The image manager of an archive: procedures that it was told of (RAD-4, RAD-13), and objects in quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.hospital.answers import Answer

if TYPE_CHECKING:
    from lab.hospital.hospital import Hospital


class KeptProcedure(Answer):
    """A procedure that the order filler has announced."""

    accession: str
    patient: str
    study_uid: str
    description: str
    state: str


class HeldObject(Answer):
    """An object in the quarantine of an archive."""

    id: int
    reason: str
    instance: str
    study: str
    patient: str


def held(hospital: Hospital, host: str) -> list[HeldObject]:
    """What is in the quarantine of an archive."""
    return hospital.ask(host, ["pacslab-image-manager", "quarantine", "--json"], list[HeldObject])


def procedures(hospital: Hospital, host: str) -> list[KeptProcedure]:
    """Every procedure that the image manager of an archive keeps."""
    return hospital.ask(host, ["pacslab-image-manager", "procedures", "--json"], list[KeptProcedure])
