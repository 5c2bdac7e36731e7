"""The archive's one gate for objects: a plugin of Orthanc that asks every rule before an object is stored.

An object is let in, refused with a status of C-STORE, answered as stored before, or held by the image manager; every
refusal is one event.
What the image manager does (it restamps objects and puts them back by the REST interface) does not pass here.

Settings: /etc/orthanc/ingest.json, ``{"callers": {AE title: host}, "limits": {"octets", "decoded_octets"},
"storage": {"folder", "quota", "reserve"}, "desk": socket of the image manager, or nothing}``, all in octets.
"""

from __future__ import annotations

import hashlib
import json
import struct
import sys
import threading
import uuid
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orthanc  # the plugin's interface, which only exists inside Orthanc

sys.path.insert(0, str(Path(__file__).parent.parent))

from conflicts import Conflicts, Names
from content import same
from desk import Desk
from pacslab_event import write_event
from reading import EXPLICIT, PREAMBLE, Reading, UnreadableError, read
from rules import (
    AGAIN,
    INSTANCE,
    NOT_AUTHORISED,
    NOT_OF_ITS_CLASS,
    UNREADABLE,
    Arrival,
    Limits,
    Refusal,
    first_refusal,
)
from storage import State, Storage

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Path("/etc/orthanc/ingest.json")
ACTION, FILL, COMMIT = "take-object", "fill-storage", "commit-object"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
TAKEN, COERCED = 0x0000, 0xB000
"""Success; and the warning "coercion of data elements": it is there under the identity that its patient has by now, or
it is held until somebody has brought it to the right one. Its sender need not send it again."""
STATUSES = {"not-permitted": NOT_AUTHORISED, "attribute-value": NOT_OF_ITS_CLASS}
"""Of what the image manager refuses; anything else is an object that another one contradicts."""
FAILURES = frozenset({"internal-error", "desk-away"})
LONGEST_TEXT = 2048
"""Characters of a value that are looked at; what is longer counts as empty and is judged by its octets."""
LONGEST_SHOWN = 64
LEVELS = ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")


class ArchiveIndex:
    """What the archive has, asked of its own REST interface."""

    def patients_of(self, study: str) -> list[str]:
        """Return the identifiers under which a Study Instance UID is filed."""
        found = _find("Study", "StudyInstanceUID", study)
        return [one["PatientMainDicomTags"].get("PatientID", "") for one in found]

    def studies_of(self, series: str) -> list[str]:
        """Return the studies in which a Series Instance UID is filed."""
        found = _find("Series", "SeriesInstanceUID", series)
        return [_get(f"/studies/{one['ParentStudy']}")["MainDicomTags"]["StudyInstanceUID"] for one in found]

    def places_of(self, instance: str) -> list[tuple[str, Names]]:
        """Return the archive's names of the objects with a SOP Instance UID, and where they are filed."""
        found = _find("Instance", "SOPInstanceUID", instance)
        return [(one["ID"], self._place(one)) for one in found]

    def _place(self, instance: dict[str, Any]) -> Names:
        series = _get(f"/series/{instance['ParentSeries']}")
        study = _get(f"/studies/{series['ParentStudy']}")
        return Names(
            study["PatientMainDicomTags"].get("PatientID", ""),
            study["MainDicomTags"]["StudyInstanceUID"],
            series["MainDicomTags"]["SeriesInstanceUID"],
            instance["MainDicomTags"]["SOPInstanceUID"],
        )


def _find(level: str, keyword: str, uid: str) -> list[dict[str, Any]]:
    """Ask for what has a UID, which has been found to be one, so that nothing in it is a wildcard."""
    query = {"Level": level, "Query": {keyword: uid}, "CaseSensitive": True, "Expand": True, "Limit": 8}
    found: list[dict[str, Any]] = json.loads(orthanc.RestApiPost("/tools/find", json.dumps(query)))
    return found


def _get(path: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(orthanc.RestApiGet(path))
    return found


@dataclass(frozen=True)
class Judgement:
    """What is decided on an object, and what may be said of it.

    Attributes:
        status: with which it is answered.
        facts: for an event.
        refusal: why it is not taken.
        already: it is stored.
        names: of one that may be let in.
        digest: of its file.
        known_study: the archive has its study.
    """

    status: int
    facts: dict[str, Any]
    refusal: Refusal | None = None
    already: bool = False
    names: Names | None = None
    digest: str = ""
    known_study: bool = False


class Gate:
    """Asks the rules about each object.

    Orthanc asks twice in one thread: first with the bytes and no more than where they come from, then with the calling
    AE title. From 1.13 on it does not ask the second time about an object whose identifiers it has, whatever its
    content, and answers it with success. So the first answer to an object that is refused hands on a marker in its
    place, which the second answer refuses.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        """Judge by these settings."""
        self._callers: dict[str, str] = settings["callers"]
        self._limits = Limits(**settings["limits"])
        self._conflicts = Conflicts(ArchiveIndex())
        self._storage = Storage(**settings["storage"], counted=_stored_octets)
        self._desk = Desk(settings["desk"]) if settings["desk"] else None
        self._judged: dict[int, Judgement] = {}

    def received(self, file: bytes, origin: int) -> tuple[Any, bytes | None]:
        """Judge what arrives; what the image manager puts back passes."""
        action = orthanc.ReceivedInstanceAction
        if origin == orthanc.InstanceOrigin.REST_API:
            return action.KEEP_AS_IS, None
        judgement = self._judge(file)
        if origin != orthanc.InstanceOrigin.DICOM_PROTOCOL:
            judgement = self._reconcile(judgement, "", lambda: file)
            self._tell(judgement, {})
            return (action.KEEP_AS_IS if judgement.status == TAKEN else action.DISCARD), None
        if judgement.already and judgement.status == TAKEN:
            self._tell(judgement, {})
            judgement = replace(judgement, already=False)
        self._judged[threading.get_ident()] = judgement
        return (action.KEEP_AS_IS, None) if judgement.status == TAKEN else (action.MODIFY, marker())

    def asked(self, instance: Any) -> int:
        """Return the status with which an object of C-STORE is answered; 0 lets it in."""
        judgement = self._judged.pop(threading.get_ident(), None)
        calling = instance.GetInstanceRemoteAet()
        if judgement is None:  # an object that nobody has looked at is not let in
            judgement = Judgement(AGAIN, {}, Refusal("internal-error", AGAIN))
        judgement = self._reconcile(judgement, calling, instance.GetInstanceData)
        self._tell(judgement, {"ae_title": calling, "peer": self._callers.get(calling)})
        return judgement.status

    def committed(self, sop_class: str, instance: str, _: Any) -> int:
        """Tell whether the archive answers for an object (RAD-10): it is stored and unharmed, or held safely."""
        reasons = orthanc.StorageCommitmentFailureReason
        try:
            for found in _find("Instance", "SOPInstanceUID", instance):
                path = f"/instances/{found['ID']}"
                if orthanc.RestApiGet(f"{path}/metadata/SopClassUid").decode("ascii", "replace") != sop_class:
                    return reasons.CLASS_INSTANCE_CONFLICT
                orthanc.RestApiPost(f"{path}/attachments/dicom/verify-md5", "")
                return reasons.SUCCESS
            if self._desk is not None and self._desk.holds(instance, sop_class):
                return reasons.SUCCESS
        except Exception as error:  # noqa: BLE001 # whatever it is, the archive does not answer for the object
            write_event(
                COMMIT, "failed", "internal-error", **_shown({"instance": instance, "error": type(error).__name__})
            )
            return reasons.PROCESSING_FAILURE
        return reasons.NO_SUCH_OBJECT_INSTANCE

    def _reconcile(self, judgement: Judgement, calling: str, file: Callable[[], bytes]) -> Judgement:
        """Ask the image manager about an object that would be let in: it may be held, outside of the archive."""
        names = judgement.names
        if names is None:
            return judgement
        if self._desk is not None:
            asked = {"ae_title": calling, "patient": names.patient, "study": names.study}
            asked |= {"accession": judgement.facts["accession"], "known_study": judgement.known_study}
            asked |= {"instance": names.instance, "sop_class": judgement.facts["sop_class"]}
            try:
                answer = self._desk.admit(asked, judgement.facts["octets"], file)
            except (OSError, ValueError, KeyError) as error:
                facts = {**judgement.facts, "error": type(error).__name__}
                return Judgement(AGAIN, facts, Refusal("desk-away", AGAIN))
            if answer["verdict"] == "held":
                return Judgement(COERCED, judgement.facts)
            if answer["verdict"] != "keep":
                status = AGAIN if answer.get("again") else STATUSES.get(answer["reason"], INSTANCE)
                return Judgement(status, judgement.facts, Refusal(answer["reason"], status))
        self._conflicts.let_in(names, judgement.digest)
        return judgement

    def _belongs(self, one: str, other: str) -> bool:
        return self._desk is not None and self._desk.same_patient(one, other)

    def _tell(self, judgement: Judgement, actor: dict[str, Any]) -> None:
        """Write an event about an object that is not stored."""
        facts = {"transaction": "C-STORE", **actor, **judgement.facts}
        if judgement.refusal is not None:
            refusal = judgement.refusal
            outcome = "failed" if refusal.reason in FAILURES else "refused"
            told = {"field": refusal.attribute or None, "status": f"0x{refusal.status:04X}"}
            write_event(ACTION, outcome, refusal.reason, **_shown(facts | told))
        elif judgement.already:
            write_event(ACTION, **_shown(facts | {"state": "already-stored"}))

    def _judge(self, file: bytes) -> Judgement:
        facts: dict[str, Any] = {"octets": len(file)}
        try:
            return self._compare(file, read(file), facts)
        except UnreadableError as error:
            facts["detail"] = str(error)
            return Judgement(UNREADABLE, facts, Refusal("unreadable-object", UNREADABLE))
        except Exception as error:  # noqa: BLE001 # whatever it is, nothing is let in unseen; its sender may try again
            facts["error"] = type(error).__name__
            return Judgement(AGAIN, facts, Refusal("internal-error", AGAIN))

    def _compare(self, file: bytes, reading: Reading, facts: dict[str, Any]) -> Judgement:
        elements = _elements_of(orthanc.CreateDicomInstance(file))
        values = {name: value for name, value in elements.items() if isinstance(value, str)}
        arrival = Arrival(len(file), reading.elements, values)
        names = Names(*(arrival.value(keyword) for keyword in LEVELS))
        facts |= {
            "patient": names.patient, "study": names.study, "accession": arrival.value("AccessionNumber"),
            "series": names.series, "instance": names.instance, "sop_class": arrival.value("SOPClassUID"),
        }  # fmt: skip
        refusal = first_refusal(arrival, self._limits)
        if refusal is not None:
            return Judgement(refusal.status, facts, refusal)
        digest = hashlib.sha256(file).hexdigest()
        found = self._conflicts.find(
            names,
            digest,
            belongs=lambda other: self._belongs(names.patient, other),
            same=lambda stored: _is_stored(stored, elements, file[reading.pixels :]),
        )
        if found.refusal is not None:
            return Judgement(found.refusal.status, facts, found.refusal)
        if found.under is not None:
            return Judgement(TAKEN if found.under == names else COERCED, facts, already=True)
        state = self._storage.state(len(file))
        if state is State.FULL:
            return Judgement(AGAIN, facts, Refusal("storage-full", AGAIN))
        if state is State.FILLING and self._storage.may_tell():
            write_event(FILL, "failed", "storage-filling", used=self._storage.used, limit=self._storage.quota or None)
        return Judgement(TAKEN, facts, names=names, digest=digest, known_study=found.known_study)


def _stored_octets() -> int:
    return int(_get("/statistics")["TotalDiskSize"])


def marker() -> bytes:
    """Return an object that stands in the place of one that is refused, under UIDs of its own (PS3.5 B.2)."""
    uids = {tag: f"2.25.{uuid.uuid4().int}" for tag in (0x00080018, 0x0020000D, 0x0020000E)}
    texts = {0x00080016: SECONDARY_CAPTURE, 0x00100010: "", 0x00100020: "REFUSED", **uids}
    header = {0x00020002: SECONDARY_CAPTURE, 0x00020003: uids[0x00080018], 0x00020010: EXPLICIT}
    return bytes(PREAMBLE) + b"DICM" + _written(header) + _written(texts)


def _written(texts: dict[int, str]) -> bytes:
    """Return elements in explicit VR, by tag."""
    written = b""
    for tag, text in sorted(texts.items()):
        vr = {0x00100010: b"PN", 0x00100020: b"LO"}.get(tag, b"UI")
        value = text.encode() + (b"\0" if vr == b"UI" else b" ") * (len(text) % 2)
        written += struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value
    return written


def _is_stored(stored: str, elements: dict[str, Any], pixels: bytes) -> bool:
    file = orthanc.RestApiGet(f"/instances/{stored}/file")
    reading: Reading = read(file)
    return same(_elements_of(orthanc.CreateDicomInstance(file)), file[reading.pixels :], elements, pixels)


def _elements_of(instance: Any) -> dict[str, Any]:
    """Return the elements of an object by keyword, texts as the archive decodes them, pixel data left out."""
    flags = orthanc.DicomToJsonFlags.INCLUDE_PRIVATE_TAGS | orthanc.DicomToJsonFlags.INCLUDE_UNKNOWN_TAGS
    text = instance.GetInstanceAdvancedJson(orthanc.DicomToJsonFormat.HUMAN, flags, LONGEST_TEXT)
    elements: dict[str, Any] = json.loads(text)
    return elements


def _shown(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts as they may stand in a line: short, with control and format characters as escapes."""
    known = {name: fact for name, fact in facts.items() if fact not in {None, ""}}
    return {name: _text(fact) if isinstance(fact, str) else fact for name, fact in known.items()}


def _text(fact: str) -> str:
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in fact[: LONGEST_SHOWN + 1]
    )
    return shown if len(shown) <= LONGEST_SHOWN else shown[: LONGEST_SHOWN - 1] + "…"


GATE = Gate(json.loads(SETTINGS.read_text("utf-8")))
orthanc.RegisterStorageCommitmentScpCallback(lambda *_: None, GATE.committed)
orthanc.RegisterReceivedInstanceCallback(GATE.received)
orthanc.RegisterIncomingCStoreInstanceFilter(GATE.asked)
