"""The image manager of an archive: procedures that it was told of (RAD-4, RAD-13), and objects in quarantine."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import AliasChoices, Field

from lab.errors import PacslabError, UsageError
from lab.hospital.answers import Answer, read
from lab.hospital.errors import CommandFailedError
from lab.hospital.hospital import why

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.hospital.hospital import Hospital

COMMAND = "pacslab-image-manager"
REFUSED, NOTHING = 1, 2
"""Exit codes of the command: the archive refuses, and the words name nothing that is held."""
DONE = {"release": "released", "discard": "discarded"}
Decision = Literal["release", "discard"]


class RefusedByArchiveError(PacslabError):
    """An archive does not take an object that was held."""

    exit_code: ClassVar[int] = 1


class KeptProcedure(Answer):
    """A procedure that the order filler has announced."""

    accession: str
    patient: str
    study_uid: str
    description: str
    state: str


class HeldObject(Answer):
    """An object in the quarantine of an archive; ``at`` is since when, in UTC, and ``ae_title`` who has sent it."""

    id: int
    at: str
    reason: str
    ae_title: str
    patient: str
    accession: str
    study: str
    instance: str


class Decided(Answer):
    """What was released, or discarded: SOP Instance UIDs."""

    instances: list[str] = Field(validation_alias=AliasChoices(*DONE.values()))


def held(hospital: Hospital, host: str) -> list[HeldObject]:
    """What is in the quarantine of an archive."""
    return hospital.ask(host, [COMMAND, "quarantine", "--json"], list[HeldObject])


def decide(hospital: Hospital, host: str, decision: Decision, ids: Sequence[int], study: str | None) -> list[str]:
    """Release objects into an archive, or discard them; their SOP Instance UIDs.

    Raises:
        RefusedByArchiveError: the archive does not take them.
        UsageError: nothing of that kind is held.
        CommandFailedError: it did not answer.
    """
    words = [*map(str, ids), *(["--study", study] if study else [])]
    done = hospital.run(host, [COMMAND, decision, *words, "--json"])
    if done.code in {REFUSED, NOTHING}:
        kind = RefusedByArchiveError if done.code == REFUSED else UsageError
        raise kind(f"{host}: {why(done)}", remedy="`pacslab quarantine` lists what is held, and for what reason.")
    if done.code:
        raise CommandFailedError(f"{host} did not {decision}: {why(done)}", remedy=f"See `pacslab logs {host}`.")
    return read(Decided, done.stdout, f"{COMMAND} on {host}").instances


def procedures(hospital: Hospital, host: str) -> list[KeptProcedure]:
    """Every procedure that the image manager of an archive keeps."""
    return hospital.ask(host, [COMMAND, "procedures", "--json"], list[KeptProcedure])
