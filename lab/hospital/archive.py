"""An image archive as its own host sees it: what it holds, asked of Orthanc's REST interface on loopback."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import Field

from lab.hospital.answers import Answer, read
from lab.hospital.errors import HospitalError
from lab.hospital.programs import program

if TYPE_CHECKING:
    from lab.engine.lab import Lab
    from lab.hospital.hospital import Hospital
    from lab.topology.site import Site

CREDENTIALS = "/etc/orthanc/health.curl"
"""Where the archive's health probe has its credentials."""

TAGS = ("SOPClassUID", "AccessionNumber", "PatientID", "PatientName", "StudyInstanceUID", "Modality")
"""What is asked of instances besides what Orthanc keeps in its index of them."""


def archives(site: Site) -> list[str]:
    """The hosts of ours that are image archives: they speak DICOM and have a REST interface, both on loopback."""
    return [name for name in site.managed if {"dicom", "http"} <= site.services(name).keys()]


class Resource(Answer):
    """A study, series or instance, and its tags by keyword; a sequence among them is a list of items."""

    ID: str
    MainDicomTags: dict[str, str | list[Any]]
    RequestedTags: dict[str, str | list[Any]] = Field(default_factory=dict)
    PatientMainDicomTags: dict[str, str | list[Any]] = Field(default_factory=dict)

    def tag(self, keyword: str) -> str:
        """The value of a tag; empty where it has none, and for a sequence."""
        for tags in (self.RequestedTags, self.MainDicomTags, self.PatientMainDicomTags):
            if isinstance(value := tags.get(keyword), str):
                return value
        return ""


class Archive:
    """Orthanc on a host of the lab."""

    def __init__(self, lab: Lab | Hospital, host: str) -> None:
        """Take the port from the site."""
        self.lab = lab
        self.host = host
        self.url = f"http://127.0.0.1:{lab.site.services(host)['http'].port}"

    def ask(self, path: str, *, body: object = None, method: str = "GET") -> Any:
        """Send a request and return its JSON answer.

        Raises:
            HospitalError: the archive refuses or does not answer.
        """
        words = [method, path, *([] if body is None else [json.dumps(body)])]
        said = self._run("request", *words)
        return json.loads(said) if said.strip() else None

    def find(self, level: str, **query: str) -> list[Resource]:
        """Resources of a level (``Study``, ``Series``, ``Instance``) that match tags, with what is known of them.

        Raises:
            HospitalError: the archive refuses, does not answer, or answers in another form.
        """
        body: dict[str, object] = {"Level": level, "Query": query, "Expand": True, "CaseSensitive": True}
        if level == "Instance":
            body["RequestedTags"] = list(TAGS)
        said = self._run("request", "POST", "/tools/find", json.dumps(body))
        return read(list[Resource], said, f"the archive on {self.host}")

    def instances(self, study: str) -> list[Resource]:
        """Every instance of a study, with the tags of :data:`TAGS`, SOPInstanceUID and what else is indexed."""
        return self.find("Instance", StudyInstanceUID=study)

    def pixels(self, *studies: str) -> dict[str, str]:
        """SHA-256 of the pixel data as stored, by SOPInstanceUID.

        Raises:
            HospitalError: the archive does not answer.
        """
        return read(dict[str, str], self._run("pixels", *studies), f"the archive on {self.host}")

    def count(self, level: str, **query: str) -> int:
        """How many resources of a level match tags; the archive is asked for their identifiers alone.

        Orthanc has a call that counts, but not on PostgreSQL before version 8 of its plugin.

        Raises:
            HospitalError: the archive refuses, does not answer, or answers in another form.
        """
        body = {"Level": level, "Query": query, "CaseSensitive": True, "Expand": False}
        said = self._run("request", "POST", "/tools/find", json.dumps(body))
        return len(read(list[str], said, f"the archive on {self.host}"))

    def remove_studies(self, **query: str) -> None:
        """Remove every study that matches tags."""
        for study in self.find("Study", **query):
            self.ask(f"/studies/{study.ID}", method="DELETE")

    def _run(self, *words: str) -> str:
        """Run the program that asks the archive, on its host."""
        argv = ["python3", "-I", "-", CREDENTIALS, self.url, *words]
        done = self.lab.run(self.host, argv, input=program("archive.py"), timeout=120)
        if done.code != 0:
            raise HospitalError(
                f"The archive on {self.host} did not answer {' '.join(words[:3])}: {done.stderr.strip()[-300:]}",
                remedy=f"See `pacslab exec {self.host} -- journalctl -u orthanc`.",
            )
        return done.stdout
