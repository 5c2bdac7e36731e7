"""A workstation: what people do at it, and what it then has."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.hospital.answers import Answer, read
from lab.hospital.signed_in import person_for, run_as

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.hospital.hospital import Hospital

COMMAND = "pacslab-workstation"
ACTIONS = {"annotate": "annotate", "key-objects": "annotate", "measure": "annotate", "report": "report"}
"""Verbs that somebody acts with, and the policy's word for what is done."""
ROLES = {"reading": "radiologist", "quality-control": "technologist"}
"""Who works at a workstation, by its function."""


class Stored(Answer):
    """Where an object went."""

    SOPInstanceUID: str
    archive: str


class Added(Answer):
    """An object that was added to a study, and the image that it is about."""

    image: str
    stored: Stored


class Match(Answer):
    """A study that an archive found."""

    PatientID: str
    AccessionNumber: str


class Matches(Answer):
    """What an archive answered to a query."""

    matches: list[Match]


class Retrieved(Answer):
    """A study that was retrieved into a folder."""

    folder: str
    instances: int


class Digests(Answer):
    """SHA-256 of the pixel data of the images in a folder, by SOP Instance UID."""

    digests: dict[str, str]


class Bad(Answer):
    """An object that does not conform to DICOM."""

    file: str
    errors: list[str]


class Verdict(Answer):
    """What dciodvfy says of a folder."""

    checked: int
    failed: list[Bad]


@dataclass(frozen=True)
class Workstation:
    """A workstation on its host."""

    hospital: Hospital
    host: str

    def query(self, patient: str, archive: str, *, web: bool = False) -> list[Match]:
        """Ask an archive for a patient's studies, by DIMSE (RAD-14) or DICOMweb (RAD-129)."""
        argv = [COMMAND, "query", "--patient", patient, "--archive", archive, *(["--web"] if web else []), "--json"]
        return self.hospital.ask(self.host, argv, Matches).matches

    def add(self, verb: str, accession: str, *words: str) -> Added:
        """Annotate, note, measure or report: a verb that adds an object to a study."""
        functions = self.hospital.described(self.host).functions
        role = next((ROLES[name] for name in functions if name in ROLES), "")
        person = person_for(self.hospital.site, self.host, ACTIONS[verb], role)
        done = run_as(self.hospital, self.host, [COMMAND, verb, accession, *words], person, timeout=120)
        return self.hospital.answer(done, Added, f"{COMMAND} {verb} {accession} on {self.host}", self.host)

    @contextmanager
    def retrieved(self, accession: str, *words: str) -> Iterator[Retrieved]:
        """Retrieve a study into a folder of its own, which is removed afterwards."""
        argv = [COMMAND, "retrieve", accession, "--apart", *words, "--json"]
        answer = self.hospital.ask(self.host, argv, Retrieved, timeout=180)
        try:
            yield answer
        finally:
            self.hospital.run(self.host, [COMMAND, "discard", answer.folder])

    def digests(self, folder: str) -> dict[str, str]:
        """What the images of a folder hold."""
        return self.hospital.ask(self.host, [COMMAND, "digests", folder, "--json"], Digests, timeout=120).digests

    def verify(self, folder: str) -> Verdict:
        """Judge every object of a folder with dciodvfy; objects with errors are an answer, too."""
        argv = [COMMAND, "verify", folder, "--json"]
        done = self.hospital.run(self.host, argv, timeout=300)
        return read(Verdict, done.stdout, f"{' '.join(argv)} on {self.host}")
