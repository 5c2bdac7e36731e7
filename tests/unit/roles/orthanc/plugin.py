"""The gate inside an Orthanc in memory, which answers what the gate asks as Orthanc 1.12.7 does."""

from __future__ import annotations

import io
import json
import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

import pydicom

from lab.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom.dataset import Dataset

INGEST = ROOT / "roles" / "orthanc" / "files" / "ingest"
MODULES = ("reading", "rules", "content", "conflicts", "storage", "guard", "pacslab_event")
HUMAN = "human"


def element_values(dataset: Dataset, longest: int) -> dict[str, Any]:
    """Return a data set as Orthanc's simplified JSON: by keyword, without binary values and long texts."""
    values: dict[str, Any] = {}
    for element in dataset:
        name = element.keyword or str(element.tag)
        if element.VR == "SQ":
            values[name] = [element_values(item, longest) for item in element.value]
        elif element.VR not in {"OB", "OW", "UN"}:
            text = "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value or "")
            values[name] = text if len(text) <= longest else None
    return values


class Instance:
    """An object as the plugin's callback is given it."""

    def __init__(self, file: bytes, calling: str = "CT1") -> None:
        """Hold a file that an AE title sent."""
        self.file, self.calling = file, calling

    def GetInstanceRemoteAet(self) -> str:  # noqa: N802 # Orthanc's name
        """Who sent it."""
        return self.calling

    def GetInstanceSize(self) -> int:  # noqa: N802 # Orthanc's name
        """Its length."""
        return len(self.file)

    def GetInstanceData(self) -> bytes:  # noqa: N802 # Orthanc's name
        """Its file."""
        return self.file

    def GetInstanceAdvancedJson(self, _format: str, _flags: int, longest: int) -> str:  # noqa: N802 # Orthanc's name
        """Its elements."""
        return json.dumps(element_values(pydicom.dcmread(io.BytesIO(self.file), force=True), longest))


class Orthanc:
    """The archive and its gate; what the gate lets in is kept under its own identifiers.

    Attributes:
        files: stored objects by the archive's name.
        away: the index does not answer.
        damaged: stored objects whose files are no longer what they were.
    """

    def __init__(self, folder: Path, desk: str = "", **limits: int) -> None:
        """Load the gate with these limits, and with an image manager to ask if there is one."""
        self.files: dict[str, bytes] = {}
        self.away = False
        self.damaged: set[str] = set()
        settings = folder / "ingest.json"
        limits = {"octets": 1 << 20, "decoded_octets": 1 << 24} | limits
        storage = {"folder": str(folder), "quota": limits.pop("quota", 0), "reserve": limits.pop("reserve", 0)}
        content = {"callers": {"CT1": "ct1", "CT2": "ct2"}, "limits": limits, "storage": storage, "desk": desk}
        settings.write_text(json.dumps(content), "utf-8")
        module = ModuleType("orthanc")
        vars(module).update(
            RestApiPost=self._post, RestApiGet=self._get, CreateDicomInstance=Instance,
            DicomToJsonFormat=SimpleNamespace(HUMAN=HUMAN),
            DicomToJsonFlags=SimpleNamespace(INCLUDE_PRIVATE_TAGS=1, INCLUDE_UNKNOWN_TAGS=2),
            ReceivedInstanceAction=SimpleNamespace(KEEP_AS_IS="keep", MODIFY="modify", DISCARD="discard"),
            InstanceOrigin=SimpleNamespace(DICOM_PROTOCOL="dicom", REST_API="rest", PLUGIN="plugin"),
            StorageCommitmentFailureReason=SimpleNamespace(
                SUCCESS=0, PROCESSING_FAILURE=0x110, NO_SUCH_OBJECT_INSTANCE=0x112, CLASS_INSTANCE_CONFLICT=0x119
            ),
            RegisterStorageCommitmentScpCallback=self._register_commitment,
            RegisterReceivedInstanceCallback=self._register_first,
            RegisterIncomingCStoreInstanceFilter=self._register_second,
        )  # fmt: skip
        self._first: Any = None
        self._second: Any = None
        for name in MODULES:
            sys.modules.pop(name, None)
        beside = [str(INGEST), str(ROOT / "roles" / "base" / "files")]
        with (
            mock.patch.dict(sys.modules, {"orthanc": module}),
            mock.patch.object(sys, "path", [*beside, *sys.path]),
            mock.patch.object(sys, "dont_write_bytecode", new=True),
        ):
            self.guard = self._load(settings)

    def _load(self, settings: Path) -> ModuleType:
        source = (INGEST / "guard.py").read_text("utf-8").replace('"/etc/orthanc/ingest.json"', repr(str(settings)))
        guard = ModuleType("guard")
        guard.__file__ = str(INGEST / "guard.py")
        sys.modules["guard"] = guard  # dataclasses look there; it goes with the patched sys.modules
        exec(compile(source, guard.__file__, "exec"), guard.__dict__)  # noqa: S102 # our own program
        return guard

    def _register_commitment(self, begin: Any, lookup: Any) -> None:
        self._begin, self._lookup = begin, lookup

    def commits(self, dataset: Dataset) -> int:
        """Ask for storage commitment of an object; return the failure reason."""
        answer: int = self._lookup(
            dataset.SOPClassUID, dataset.SOPInstanceUID, self._begin("job", "1.2", [], [], "", "")
        )
        return answer

    def _register_first(self, first: Any) -> None:
        self._first = first

    def _register_second(self, second: Any) -> None:
        self._second = second

    def send(self, dataset: Dataset, calling: str = "CT1") -> int:
        """Send an object by C-STORE; return the status of the answer."""
        written = io.BytesIO()
        dataset.save_as(written, enforce_file_format=True)
        return self.send_file(written.getvalue(), calling)

    def send_file(self, file: bytes, calling: str = "CT1") -> int:
        """Send the bytes of a file by C-STORE; an object whose identifiers are there is not asked about twice."""
        action, other = self._first(file, "dicom")
        assert action in {"keep", "modify"}
        arriving: bytes = other if action == "modify" else file
        if self._has(arriving):
            return 0
        status: int = self._second(Instance(arriving, calling))
        if status == 0:
            self.keep(arriving)
        return status

    def add(self, file: bytes, origin: str) -> bool:
        """Store by DICOMweb (``plugin``) or as the image manager does (``rest``); tell whether it was let in."""
        action, _ = self._first(file, origin)
        if action == "keep":
            self.keep(file)
        return bool(action == "keep")

    def _has(self, file: bytes) -> bool:
        try:
            return "|".join(_names(pydicom.dcmread(io.BytesIO(file)))) in self.files
        except Exception:  # noqa: BLE001 # what is no object is nowhere
            return False

    def keep(self, file: bytes) -> None:
        """Have an object in the archive; one with the same identifiers stays as it is."""
        self.files.setdefault("|".join(_names(pydicom.dcmread(io.BytesIO(file)))), file)

    def _datasets(self) -> Iterator[tuple[str, Dataset]]:
        for name, file in self.files.items():
            yield name, pydicom.dcmread(io.BytesIO(file))

    def _post(self, path: str, body: str) -> bytes:
        if path.endswith("/verify-md5"):
            if path.split("/")[2] in self.damaged:
                raise RuntimeError("MD5")
            return b"{}"
        assert path == "/tools/find"
        if self.away:
            raise RuntimeError("database")
        asked = json.loads(body)
        ((keyword, uid),) = asked["Query"].items()
        found: dict[str, dict[str, Any]] = {}
        for name, dataset in self._datasets():
            if dataset[keyword].value == uid:
                patient, study, series, _ = _names(dataset)
                entry = {
                    "Study": (f"{patient}|{study}", {"PatientMainDicomTags": {"PatientID": patient}}),
                    "Series": (f"{patient}|{study}|{series}", {"ParentStudy": f"{patient}|{study}"}),
                    "Instance": (
                        name,
                        {
                            "ParentSeries": f"{patient}|{study}|{series}",
                            "MainDicomTags": {"SOPInstanceUID": dataset.SOPInstanceUID},
                        },
                    ),
                }[asked["Level"]]
                found[entry[0]] = {"ID": entry[0], **entry[1]}
        return json.dumps(list(found.values())).encode()

    def _get(self, path: str) -> bytes:
        if path == "/statistics":
            return json.dumps({"TotalDiskSize": str(sum(map(len, self.files.values())))}).encode()
        _, level, name, *rest = path.split("/")
        if rest == ["metadata", "SopClassUid"]:
            return str(pydicom.dcmread(io.BytesIO(self.files[name])).SOPClassUID).encode()
        if rest == ["file"]:
            return self.files[name]
        patient, study, *series = name.split("|")
        answers = {
            "studies": {
                "MainDicomTags": {"StudyInstanceUID": study}, "PatientMainDicomTags": {"PatientID": patient},
            },
            "series": {
                "ParentStudy": f"{patient}|{study}", "MainDicomTags": {"SeriesInstanceUID": "".join(series)},
            },
        }  # fmt: skip
        return json.dumps(answers[level]).encode()


def _names(dataset: Dataset) -> tuple[str, str, str, str]:
    return dataset.PatientID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID, dataset.SOPInstanceUID
