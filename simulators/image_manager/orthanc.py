"""The archive's REST interface, as far as the image manager uses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from simulators.errors import NotFoundError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulators.image_manager.configuration import Configuration

SECONDS = 60.0
ECHO_SECONDS = 5
_NOT_FOUND, _ERROR = 404, 400


@dataclass(frozen=True)
class Change:
    """One entry of the archive's change log."""

    number: int
    kind: str
    level: str
    resource: str


@dataclass(frozen=True)
class StoredInstance:
    """An object of the archive: the archive's name of it, and its UIDs."""

    resource: str
    series: str
    instance: str
    sop_class: str


class OrthancClient:
    """Speaks to Orthanc; safe to use from several threads."""

    def __init__(self, configuration: Configuration, transport: httpx.BaseTransport | None = None) -> None:
        """Remember where the archive is; `transport` replaces the network."""
        self._http = httpx.Client(
            base_url=configuration.url,
            auth=(configuration.user, configuration.password),
            timeout=SECONDS,
            transport=transport,
            trust_env=False,  # loopback needs no proxy
            limits=httpx.Limits(keepalive_expiry=0.5),  # Orthanc closes what is idle for a second
        )

    def _ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **body)
        except httpx.HTTPError as error:
            raise UnreachableError(
                f"the archive does not answer {method} {path}: {error}", remedy="Read `journalctl -u orthanc`."
            ) from error
        if answer.status_code == _NOT_FOUND:
            raise NotFoundError(f"the archive has no {path}", remedy="It was deleted or changed meanwhile.")
        if answer.status_code >= _ERROR:
            raise RefusedError(
                f"the archive answers {answer.status_code} to {method} {path}", remedy="Read `journalctl -u orthanc`."
            )
        return answer

    def changes(self, since: int, limit: int = 200) -> tuple[list[Change], bool]:
        """Return changes after number `since`, and whether there are no more."""
        data = self._ask("GET", "/changes", params={"since": since, "limit": limit}).json()
        found = [
            Change(entry["Seq"], entry["ChangeType"], entry["ResourceType"], entry["ID"]) for entry in data["Changes"]
        ]
        return found, bool(data["Done"])

    def studies_of(self, identifier: str) -> list[str]:
        """Return the studies whose PatientID is exactly `identifier`."""
        # Wildcards of the query language are not special in an identifier, so what comes back is compared again.
        query = {"Level": "Study", "Query": {"PatientID": identifier}, "CaseSensitive": True, "Expand": True}
        found = self._ask("POST", "/tools/find", json=query).json()
        return [study["ID"] for study in found if study["PatientMainDicomTags"].get("PatientID") == identifier]

    def studies_with(self, study: str) -> list[str]:
        """Return the archive's names of what has a Study Instance UID."""
        query = {"Level": "Study", "Query": {"StudyInstanceUID": study}, "CaseSensitive": True}
        found: list[str] = self._ask("POST", "/tools/find", json=query).json()
        return found

    def instances_with(self, study: str) -> list[StoredInstance]:
        """Return the objects that have a Study Instance UID."""
        query = {
            "Level": "Instance",
            "Query": {"StudyInstanceUID": study},
            "CaseSensitive": True,
            "Expand": True,
            "RequestedTags": ["SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"],
        }
        found = self._ask("POST", "/tools/find", json=query).json()
        return [
            StoredInstance(entry["ID"], tags["SeriesInstanceUID"], tags["SOPInstanceUID"], tags["SOPClassUID"])
            for entry in found
            if (tags := entry["RequestedTags"])
        ]

    def performed_step(self, instance: str) -> str:
        """Return the performed procedure step (0008,1111) that an object names; empty where it names none."""
        tags = self._ask("GET", f"/instances/{instance}/simplified-tags").json()
        items = tags.get("ReferencedPerformedProcedureStepSequence") or [{}]
        return str(items[0].get("ReferencedSOPInstanceUID", ""))

    def places_of(self, instance: str, study: str) -> list[str]:
        """Return the patients under whom a SOP Instance UID or a Study Instance UID is filed."""
        found = set()
        for level, keyword, uid in (("Study", "StudyInstanceUID", study), ("Instance", "SOPInstanceUID", instance)):
            query = {"Level": level, "Query": {keyword: uid}, "CaseSensitive": True}
            for name in self._ask("POST", "/tools/find", json=query).json():
                path = f"/studies/{name}" if level == "Study" else f"/instances/{name}/study"
                tags = self._ask("GET", path).json()["PatientMainDicomTags"]
                found.add(str(tags.get("PatientID", "")))
        return sorted(found)

    def resource(self, level: str, resource: str) -> dict[str, Any]:
        """Return a study or a series; `level` is ``studies`` or ``series``."""
        data: dict[str, Any] = self._ask("GET", f"/{level}/{resource}").json()
        return data

    def page(self, level: str, since: int, limit: int = 500) -> list[dict[str, Any]]:
        """Return a page of all studies or series; `level` is ``studies`` or ``series``."""
        page = {"expand": "", "since": since, "limit": limit}
        data: list[dict[str, Any]] = self._ask("GET", f"/{level}", params=page).json()
        return data

    def instances_of(self, study: str) -> list[str]:
        """Return the instances of a study."""
        data = self._ask("GET", f"/studies/{study}/instances", params={"expand": "false"}).json()
        return [entry if isinstance(entry, str) else entry["ID"] for entry in data]

    def sender_of(self, instance: str) -> str:
        """Return the calling AE title that an instance came from; empty where it came another way than by C-STORE."""
        try:
            return self._ask("GET", f"/instances/{instance}/metadata/RemoteAET").text.strip()
        except NotFoundError:
            return ""

    def file(self, instance: str) -> bytes:
        """Return an instance as a DICOM file (PS3.10)."""
        return self._ask("GET", f"/instances/{instance}/file").content

    def add(self, file: bytes) -> tuple[str, bool]:
        """Store an instance; return its resource, and whether it is new (an existing one is kept as it was)."""
        data = self._ask("POST", "/instances", content=file).json()
        return data["ID"], data["Status"] == "Success"

    def delete(self, instance: str) -> None:
        """Delete an instance; one that is gone is no error."""
        try:
            self._ask("DELETE", f"/instances/{instance}")
        except NotFoundError:
            return

    def reconstruct_of(self, instance: str) -> None:
        """Have the archive read the files of an instance's patient again, so that its index says what they say."""
        patient = self._ask("GET", f"/instances/{instance}/patient").json()["ID"]
        self._ask("POST", f"/patients/{patient}/reconstruct", json={})

    def send(self, target: str, instances: Sequence[str]) -> str:
        """Start to send instances to a DICOM node by C-STORE; return the job."""
        body: Mapping[str, Any] = {"Resources": list(instances), "Asynchronous": True, "Permissive": False}
        job: str = self._ask("POST", f"/modalities/{target}/store", json=body).json()["ID"]
        return job

    def echo(self, target: str) -> bool:
        """Tell whether a DICOM node answers C-ECHO."""
        try:
            self._ask("POST", f"/modalities/{target}/echo", json={"Timeout": ECHO_SECONDS})
        except RefusedError:
            return False
        return True

    def job(self, job: str) -> dict[str, Any]:
        """Return the state of a job."""
        data: dict[str, Any] = self._ask("GET", f"/jobs/{job}").json()
        return data
