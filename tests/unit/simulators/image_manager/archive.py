"""An archive in memory that answers as Orthanc 1.12.7 does with OverwriteInstances off, and what to put into it."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from simulators.association import associate, contexts
from simulators.errors import SimulatorError
from simulators.image_manager.configuration import Configuration
from simulators.image_manager.orthanc import OrthancClient

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.hl7content import Patient
    from simulators.settings import Peer

LEVELS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


def image(patient: Patient, study: str, series: str | None = None, *, issuer: str | None = None) -> Dataset:
    """Return a small CT image of a patient, as a modality sends it."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series or f"{study}.1"
    dataset.PatientID, dataset.PatientName = patient.identifier, patient.dicom_name
    dataset.PatientBirthDate, dataset.PatientSex = patient.birth_date, patient.dicom_sex
    dataset.IssuerOfPatientID = patient.authority if issuer is None else issuer
    dataset.StudyDescription = "Sch\u00e4del"
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.Rows = dataset.Columns = 4
    dataset.BitsAllocated = dataset.BitsStored = 16
    dataset.HighBit, dataset.PixelRepresentation, dataset.SamplesPerPixel = 15, 0, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelData = bytes(range(32))
    return dataset


def as_file(dataset: Dataset) -> bytes:
    """Return a data set as a file (PS3.10)."""
    written = io.BytesIO()
    dataset.save_as(written, enforce_file_format=True)
    return written.getvalue()


def _identifier(dataset: Dataset, levels: int) -> str:
    return hashlib.sha1("|".join(str(dataset[level].value) for level in LEVELS[:levels]).encode()).hexdigest()  # noqa: S324


@dataclass
class FakeOrthanc:
    """Instances by identifier; jobs succeed unless `target_away`; no answer at all while `away`."""

    instances: dict[str, bytes] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    sent: list[tuple[str, str, int]] = field(default_factory=list)
    away: bool = False
    target_away: bool = False
    stop_after_delete: bool = False
    senders: dict[str, str] = field(default_factory=dict)
    """AE title that an instance came from by C-STORE."""
    refused: set[str] = field(default_factory=set)
    """Series that no target takes."""
    peers: dict[str, Peer] = field(default_factory=dict)
    """Targets that are really sent to."""
    failed: set[int] = field(default_factory=set)
    """Jobs that did not reach them."""

    def archive(self, folder: Path) -> OrthancClient:
        """Return a client of this archive."""
        configuration = Configuration(url="http://archive", user="u", password="p", state=folder, runtime=folder)  # noqa: S106
        return OrthancClient(configuration, httpx.MockTransport(self.answer))

    def store(self, *datasets: Dataset, sender: str = "") -> None:
        """Store what a modality sends, and let it settle."""
        for dataset in datasets:
            self.instances.setdefault(_identifier(dataset, 4), as_file(dataset))
            self.senders[_identifier(dataset, 4)] = sender
        for level, kind in ((2, "StableStudy"), (3, "StableSeries")):
            for identifier in {_identifier(entry, level) for entry in datasets}:
                self.note(kind, identifier)

    def note(self, kind: str, identifier: str) -> None:
        """Write to the change log."""
        resource = kind.removeprefix("Stable")
        self.changes.append(
            {"Seq": len(self.changes) + 1, "ChangeType": kind, "ResourceType": resource, "ID": identifier}
        )

    def datasets(self) -> list[Dataset]:
        """Return everything that is stored."""
        return [pydicom.dcmread(io.BytesIO(instance)) for instance in self.instances.values()]

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one REST request."""
        if self.away:
            raise httpx.ConnectError("refused")
        path = [part for part in request.url.path.split("/") if part]
        found = getattr(self, f"_{request.method.lower()}_{path[0]}")(request, *path[1:])
        if found is None:
            return httpx.Response(404)
        return found if isinstance(found, httpx.Response) else httpx.Response(200, json=found)

    def _get_changes(self, request: httpx.Request) -> dict[str, Any]:
        since, limit = int(request.url.params["since"]), int(request.url.params["limit"])
        rest = [change for change in self.changes if change["Seq"] > since]
        return {"Changes": rest[:limit], "Done": len(rest) <= limit}

    def _post_tools(self, request: httpx.Request, _: str) -> list[Any]:
        body = json.loads(request.content)
        ((keyword, wanted),) = body["Query"].items()
        if body["Level"] == "Instance" and body.get("Expand"):
            return [
                {"ID": key, "RequestedTags": {name: str(one[name].value) for name in body["RequestedTags"]}}
                for key, one in self._parsed().items()
                if one[keyword].value == wanted
            ]
        if keyword != "PatientID":
            levels = {"StudyInstanceUID": 2, "SOPInstanceUID": 4}[keyword]
            return sorted({_identifier(one, levels) for one in self.datasets() if one[keyword].value == wanted})
        found = {_identifier(dataset, 2): dataset for dataset in self.datasets() if dataset.PatientID == wanted}
        return [{"ID": key, "PatientMainDicomTags": {"PatientID": dataset.PatientID}} for key, dataset in found.items()]

    def _get_studies(self, request: httpx.Request | None, study: str = "", below: str | None = None) -> Any:
        if request is not None and not study:
            return self._page_of_studies(int(request.url.params["since"]))
        found = {key: segment for key, segment in self._parsed().items() if _identifier(segment, 2) == study}
        if not found:
            return None
        if below == "instances":
            return list(found)
        first = next(iter(found.values()))
        names = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex")
        return {
            "MainDicomTags": {
                "StudyInstanceUID": first.StudyInstanceUID,
                "AccessionNumber": str(first.get("AccessionNumber") or ""),
            },
            "PatientMainDicomTags": {name: str(first[name].value) for name in names},
        }

    def _page_of_studies(self, since: int) -> list[dict[str, Any]]:
        found: dict[str, list[Dataset]] = {}
        for one in self.datasets():
            found.setdefault(_identifier(one, 2), []).append(one)
        pages = [
            {
                "ID": key,
                "IsStable": True,
                "MainDicomTags": {"StudyInstanceUID": members[0].StudyInstanceUID},
                "Series": sorted({_identifier(one, 3) for one in members}),
            }
            for key, members in found.items()
        ]
        return pages[since:]

    def _get_series(self, request: httpx.Request, series: str | None = None) -> Any:
        found: dict[str, list[str]] = {}
        for key, segment in self._parsed().items():
            found.setdefault(_identifier(segment, 3), []).append(key)
        pages = [
            {
                "ID": key,
                "IsStable": True,
                "Instances": members,
                "ParentStudy": _identifier(self._parsed()[members[0]], 2),
            }
            for key, members in found.items()
        ]
        if series is None:
            return pages[int(request.url.params["since"]) :]
        return next((page for page in pages if page["ID"] == series), None)

    def _get_instances(self, _: httpx.Request, instance: str, what: str, name: str = "") -> Any:
        if instance not in self.instances:
            return None
        if what == "metadata":
            sender = self.senders.get(instance) if name == "RemoteAET" else None
            return httpx.Response(200, text=sender) if sender else None
        if what == "study":
            return self._get_studies(None, _identifier(self._parsed()[instance], 2))
        if what == "simplified-tags":
            steps = self._parsed()[instance].get("ReferencedPerformedProcedureStepSequence", [])
            named = [{"ReferencedSOPInstanceUID": str(step.ReferencedSOPInstanceUID)} for step in steps]
            return {"ReferencedPerformedProcedureStepSequence": named}
        return httpx.Response(200, content=self.instances[instance]) if what == "file" else {"ID": "patient"}

    def _post_instances(self, request: httpx.Request) -> dict[str, str]:
        key = _identifier(pydicom.dcmread(io.BytesIO(request.content)), 4)
        new = key not in self.instances
        self.instances.setdefault(key, request.content)
        return {"ID": key, "Status": "Success" if new else "AlreadyStored"}

    def _delete_instances(self, _: httpx.Request, instance: str) -> dict[str, str] | None:
        if self.instances.pop(instance, None) is None:
            return None
        self.away = self.away or self.stop_after_delete
        return {}

    def _post_patients(self, *_: object) -> dict[str, str]:
        return {}

    def _post_modalities(self, request: httpx.Request, target: str, what: str) -> Any:
        if what == "echo":
            return httpx.Response(500) if self.target_away else {}
        instances = json.loads(request.content)["Resources"]
        series = _identifier(self._parsed()[instances[0]], 3)
        if target in self.peers and not self._really_send(self.peers[target], instances):
            self.failed.add(len(self.sent))
        self.sent.append((target, series, len(instances)))
        return {"ID": str(len(self.sent) - 1)}

    def _get_jobs(self, _: httpx.Request, job: str) -> dict[str, Any]:
        if self.target_away or int(job) in self.failed or self.sent[int(job)][1] in self.refused:
            failed = {"FailedInstancesCount": 1, "InstancesCount": 1}
            return {"State": "Failure", "ErrorDescription": "network", "ErrorDetails": "", "Content": failed}
        content = {"FailedInstancesCount": 0, "InstancesCount": self.sent[int(job)][2]}
        return {"State": "Success", "Content": content}

    def _really_send(self, peer: Peer, instances: list[str]) -> bool:
        """C-STORE as Orthanc does it, not permissive: the first object that is not taken ends the job."""
        try:
            with associate(peer, contexts([CTImageStorage]), calling="PACSRAD", tls=None) as association:
                return all(
                    association.send_c_store(self._parsed()[instance]).get("Status") == 0 for instance in instances
                )
        except SimulatorError:
            return False

    def _parsed(self) -> dict[str, Dataset]:
        return {key: pydicom.dcmread(io.BytesIO(instance)) for key, instance in self.instances.items()}
