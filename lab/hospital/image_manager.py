"""The image manager of an archive: the procedures that it was told of (RAD-4)."""

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
    state: str


def procedures(hospital: Hospital, host: str) -> list[KeptProcedure]:
    """Every procedure that the image manager of an archive keeps."""
    return hospital.ask(host, ["pacslab-image-manager", "procedures", "--json"], list[KeptProcedure])
