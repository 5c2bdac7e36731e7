"""Objects that a permitted sender makes up: of another patient, with other content, with hostile names, a bomb."""

from __future__ import annotations

import hashlib
import io
import zlib
from typing import TYPE_CHECKING

from pydicom import Dataset, config
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, generate_uid
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.sop_class import (  # type: ignore[attr-defined] # pynetdicom makes these names at run time
    CTImageStorage,
    Verification,
)

from simulators.association import associate, contexts
from simulators.errors import RefusedError
from simulators.misuse.dicom import dicom_case, image, judged, needed, own_context, own_title, peer_of
from simulators.misuse.outcome import Answer

if TYPE_CHECKING:
    import argparse
    from contextlib import AbstractContextManager

    from pynetdicom.association import Association

    from simulators.settings import Settings

SIDE = 16
BOMB_OCTETS = 1 << 28
"""What the bomb unfolds to; it is a thousandth of that."""
CHUNK = 1 << 20


def store(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An object of the study and the patient that are named, as a scanner stores it."""
    own = _of_study(arguments, arguments.instance)
    with _association(arguments, settings) as association:
        answer = judged(association.send_c_store(own))
    return Answer(answer.refused, answer.layer, answer.detail, _facts(own))


def foreign_patient(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An object of the study's own patient, which is taken; then one of that study with another patient."""
    own, forged = _of_study(arguments), _of_study(arguments, arguments.instance)
    forged.PatientID = f"FORGED{forged.SOPInstanceUID[-8:]}"
    with _association(arguments, settings) as association:
        _taken(association, own)
        answer = judged(association.send_c_store(forged))
    return Answer(answer.refused, answer.layer, answer.detail, _facts(forged))


def changed_object(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An object, which is taken; then one with the same UIDs and other pixels."""
    own = _of_study(arguments, arguments.instance)
    forged = _of_study(arguments, own.SOPInstanceUID)
    forged.SeriesInstanceUID = own.SeriesInstanceUID
    forged.PixelData = bytes([255]) * len(own.PixelData)
    with _association(arguments, settings) as association:
        _taken(association, own)
        answer = judged(association.send_c_store(forged))
    return Answer(answer.refused, answer.layer, answer.detail, _facts(forged))


def hostile_names(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An object whose study is a path and whose patient identifier is an escape sequence and a second line."""
    with config.disable_value_validation():
        hostile = image(arguments.instance)
        hostile.StudyInstanceUID = "../../../etc/passwd"
        hostile.PatientID = "P1\x1b[2J\nP2"
        with _association(arguments, settings) as association:
            answer = judged(association.send_c_store(hostile))
    return Answer(answer.refused, answer.layer, answer.detail, _facts(hostile))


def unscheduled(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """An object of a study that nobody has announced; a warning says that it is not in the archive as it is."""
    forged = image(arguments.instance)
    with _association(arguments, settings) as association:
        status = association.send_c_store(forged)
    answer = judged(status)
    return Answer(status.get("Status") != 0, answer.layer, answer.detail, _facts(forged))


def deflated(arguments: argparse.Namespace, settings: Settings) -> Answer:
    """A deflated object that unfolds to a thousand times its length."""
    wanted = [*contexts([CTImageStorage], [DeflatedExplicitVRLittleEndian]), *contexts([Verification])]
    for number, context in enumerate(wanted):
        context.context_id = 2 * number + 1
    bomb = image(arguments.instance)
    facts = _facts(bomb)
    with associate(
        peer_of(arguments, settings, "C-STORE"), wanted, calling=own_title(settings), tls=own_context(settings)
    ) as association:
        accepted = {one.abstract_syntax: one.context_id for one in association.accepted_contexts}
        if CTImageStorage not in accepted:
            return Answer(refused=True, layer="association", detail="the transfer syntax is not accepted", facts=facts)
        request = C_STORE()
        request.MessageID, request.Priority = 1, 2
        request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = CTImageStorage, bomb.SOPInstanceUID
        request.DataSet = io.BytesIO(_deflated(bomb))
        association.dimse.send_msg(request, accepted[CTImageStorage] or 0)
        _, response = association.dimse.get_msg(block=True)
        status = Dataset()
        if isinstance(response, C_STORE) and response.Status is not None:
            status.Status = response.Status
    answer = judged(status)
    return Answer(answer.refused, answer.layer, answer.detail, facts)


def _deflated(bomb: Dataset) -> bytes:
    """Return the data set with pixels of zeros, deflated (PS3.5 A.5) without ever having been whole in memory."""
    bomb.Rows = bomb.Columns = 1 << 13
    bomb.BitsAllocated, bomb.SamplesPerPixel, bomb.NumberOfFrames = 16, 1, BOMB_OCTETS >> 27
    bomb.PixelData = b""
    head = DicomBytesIO()
    head.is_little_endian, head.is_implicit_VR = True, False
    write_dataset(head, bomb)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    # The element of the pixels ends the data set: its length of 32 bits is the last of it.
    packed = packer.compress(head.getvalue()[:-4] + BOMB_OCTETS.to_bytes(4, "little"))
    for _ in range(BOMB_OCTETS // CHUNK):
        packed += packer.compress(bytes(CHUNK))
    packed += packer.flush()
    return packed + bytes(len(packed) % 2)


def _association(arguments: argparse.Namespace, settings: Settings) -> AbstractContextManager[Association]:
    peer = peer_of(arguments, settings, "C-STORE")
    wanted = contexts([CTImageStorage], [ExplicitVRLittleEndian])
    return associate(peer, wanted, calling=own_title(settings), tls=own_context(settings))


def _of_study(arguments: argparse.Namespace, instance: str | None = None) -> Dataset:
    """Return an image of the study and the patient that are named."""
    made = image(instance)
    made.StudyInstanceUID = needed(arguments.study, "--study")
    made.PatientID = needed(arguments.patient, "--patient")
    made.AccessionNumber = arguments.accession or ""
    made.Rows = made.Columns = SIDE
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit, made.PixelRepresentation, made.SamplesPerPixel = 7, 0, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.PixelData = bytes(SIDE * SIDE)
    made.SeriesInstanceUID = generate_uid()
    return made


def _taken(association: Association, own: Dataset) -> None:
    """Store what is permitted.

    Raises:
        RefusedError: it is refused too, so that nothing is shown.
    """
    answer = judged(association.send_c_store(own))
    if answer.refused:
        raise RefusedError(f"an honest object is refused: {answer.detail}", remedy="Name a study that is scheduled.")


def _facts(forged: Dataset) -> dict[str, str]:
    pixels = hashlib.sha256(forged.get("PixelData") or b"").hexdigest()
    return {"instance": str(forged.SOPInstanceUID), "study": str(forged.StudyInstanceUID), "pixels": pixels}


OF_STUDY = "--study 1.2.3 --patient P1"
CASES = (
    dicom_case("dicom-store", "C-STORE as permitted: an object of a study that the archive expects", store, OF_STUDY),
    dicom_case("dicom-foreign-patient", "an object of another patient in a study", foreign_patient, OF_STUDY),
    dicom_case("dicom-changed-object", "other content under the UIDs of an object", changed_object, OF_STUDY),
    dicom_case("dicom-hostile-names", "a path as UID, an escape sequence as patient", hostile_names),
    dicom_case("dicom-unscheduled", "an object of a study that nobody has announced", unscheduled),
    dicom_case("dicom-deflated", "a deflated object that unfolds to a thousand times its length", deflated),
)
