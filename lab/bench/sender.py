"""Sends CT images with C-STORE and says how long it took; sent to lab hosts as text and run with their simulators.

Argument: JSON with ``images``, ``no_delay``, ``study`` and, for a plain peer on loopback, ``calling``, ``called``,
``port``; without ``port`` the images go the way a modality's do, to the peer whom this host may ask C-STORE.
Output: JSON ``{"seconds", "bytes", "stored"}``. Images are made before the clock starts; it runs from the request of
the association to its release.
"""

from __future__ import annotations

import json
import random
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE

from simulators.association import MAXIMUM_PDU, associate, contexts
from simulators.settings import load
from simulators.tls import client_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pynetdicom.association import Association

ROWS = COLUMNS = 512


def images(count: int, study: str) -> list[Dataset]:
    """CT images of one series with noise as pixels, each a little over 512 x 512 x 2 bytes."""
    noise = random.Random(2762)  # noqa: S311 - pixels, no secrets
    series = generate_uid()
    return [_image(number, study, series, noise.randbytes(ROWS * COLUMNS * 2)) for number in range(1, count + 1)]


def _image(number: int, study: str, series: str, pixels: bytes) -> Dataset:
    image = Dataset()
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = generate_uid()
    image.StudyInstanceUID = study
    image.SeriesInstanceUID = series
    image.PatientID = "BENCH"
    image.PatientName = "Bench^Mark"
    image.Modality = "CT"
    image.InstanceNumber = number
    image.Rows, image.Columns = ROWS, COLUMNS
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit = 15
    image.PixelRepresentation = 1
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = pixels
    return image


@contextmanager
def opened(task: dict[str, Any]) -> Iterator[Association]:
    """An association as the task wants it."""
    wanted = contexts([CTImageStorage], [ExplicitVRLittleEndian])
    if "port" not in task:
        settings = load()
        peer = settings.peer("dicom-tls", permit="C-STORE")
        tls = client_context(settings, "dicom-client")
        with associate(peer, wanted, calling=settings.host.ae_title or "", tls=tls) as association:
            yield association
        return
    entity = AE(ae_title=task["calling"])
    entity.maximum_pdu_size = MAXIMUM_PDU if task["no_delay"] else entity.maximum_pdu_size
    handlers = _no_delay() if task["no_delay"] else []
    association = entity.associate(
        "127.0.0.1",
        task["port"],
        wanted,
        ae_title=task["called"],
        max_pdu=entity.maximum_pdu_size,
        evt_handlers=handlers,
    )
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _no_delay() -> list[Any]:
    from pynetdicom import evt  # noqa: PLC0415 - beside its only use

    from simulators.association import no_delay  # noqa: PLC0415

    return [(evt.EVT_CONN_OPEN, no_delay)]


def main() -> None:
    """Make the images, send them, print what it took."""
    task = json.loads(sys.argv[1])
    made = images(task["images"], task["study"])
    stored = 0
    begun = time.monotonic()
    with opened(task) as association:
        if not association.is_established:
            sys.exit("the association was refused")
        for image in made:
            stored += association.send_c_store(image).get("Status") == 0
    seconds = time.monotonic() - begun
    json.dump({"seconds": seconds, "bytes": sum(len(one.PixelData) for one in made), "stored": stored}, sys.stdout)


if __name__ == "__main__":
    main()
