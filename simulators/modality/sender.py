"""Sending a folder of DICOM files, or generated CT images, as fast as it goes, and saying how fast that was."""

from __future__ import annotations

import socket
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import evt

from simulators.association import associate
from simulators.errors import ArgumentError, RefusedError
from simulators.imaging.acquire import images_of
from simulators.imaging.context import Equipment, StudyContext, complete
from simulators.imaging.frame import new_uid
from simulators.imaging.transfer import negotiated, parcels_of, store
from simulators.journal import transaction
from simulators.modality.links import CERTIFICATE
from simulators.output import Result
from simulators.settings import Peer
from simulators.tls import client_context

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from simulators.imaging.transfer import Parcel
    from simulators.settings import Settings


@dataclass(frozen=True)
class Target:
    """Where to send, and how."""

    peer: Peer
    calling: str
    plain: bool
    nagle: bool


def store_files(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Send and measure.

    Raises:
        ArgumentError: nothing to send.
        RefusedError: the archive refused an object.
    """
    with tempfile.TemporaryDirectory(prefix="pacslab-store-") as scratch:
        folder = Path(arguments.what) if arguments.what else Path(scratch)
        if arguments.generate:
            _generate(folder, arguments.generate)
        parcels = parcels_of(folder)
        target = _target(arguments, settings)
        with transaction("RAD-8", "files-sent", peer=target.peer.name, instances=len(parcels)):
            seconds = _send(target, parcels, settings)
        size = sum(parcel.path.stat().st_size for parcel in parcels)
    rate = size / seconds / 1e6
    data = {
        "instances": len(parcels),
        "bytes": size,
        "seconds": round(seconds, 4),
        "megabytes_per_second": round(rate, 2),
        "peer": target.peer.name,
        "tls": not target.plain,
        "tcp_nodelay": not target.nagle,
    }
    return Result(
        data, f"{len(parcels)} objects, {size} bytes in {seconds:.2f} s ({rate:.1f} MB/s) to {target.peer.name}"
    )


def _send(target: Target, parcels: Sequence[Parcel], settings: Settings) -> float:
    """Send all over one association and return the seconds from opening to release."""
    tls = None if target.plain else client_context(settings, CERTIFICATE)
    handlers = [(evt.EVT_CONN_OPEN, _nagle)] if target.nagle else []
    begun = time.monotonic()
    with associate(target.peer, negotiated(parcels), calling=target.calling, tls=tls, handlers=handlers) as association:
        for parcel in parcels:
            error = store(association, parcel)
            if error:
                raise RefusedError(f"{target.peer.name} did not take {parcel.path}: {error}", remedy="Look at its log.")
    return time.monotonic() - begun


def _nagle(event: Any) -> None:
    """Undo TCP_NODELAY: how DICOM toolkits are shipped, for comparison."""
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)


def _generate(folder: Path, count: int) -> None:
    attributes = Dataset()
    attributes.PatientName, attributes.PatientID = "Benchmark^CT", "BENCHMARK"
    attributes.PatientBirthDate, attributes.PatientSex = "19700101", "O"
    attributes.StudyInstanceUID, attributes.AccessionNumber = new_uid(), "BENCHMARK"
    context = StudyContext(complete(attributes), Equipment("BENCHMARK", "CT simulator"))
    for image in images_of("CT", context, count, phantom=True, size=512):
        image.save_as(folder / f"{image.SOPInstanceUID}.dcm", enforce_file_format=True)


def _target(arguments: argparse.Namespace, settings: Settings) -> Target:
    if (arguments.plain or arguments.port) and not arguments.host:
        raise ArgumentError("--plain and --port need --host.", remedy="Name the host too, or leave them out.")
    if arguments.host:
        service = "dicom" if arguments.plain else "dicom-tls"
        if not arguments.port:
            raise ArgumentError("--host needs --port.", remedy="Name the port too.")
        peer = Peer(arguments.host, arguments.host, arguments.host, arguments.called, (), service, arguments.port, ())
    else:
        peer = settings.peer("dicom-tls", permit="C-STORE")
    calling = arguments.calling or settings.host.ae_title or "BENCHMARK"
    return Target(peer, calling, plain=arguments.plain, nagle=arguments.nagle)
