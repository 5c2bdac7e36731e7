"""Sending a folder of DICOM files as fast as it goes, saying how fast that was, and making files to send."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pynetdicom import evt

from simulators.association import associate
from simulators.command_line import Result
from simulators.errors import ArgumentError, RefusedError
from simulators.events.actions import STORE
from simulators.events.report import performing
from simulators.imaging.acquire import images_of
from simulators.imaging.context import Equipment, StudyContext, complete
from simulators.imaging.frame import new_uid
from simulators.imaging.transfer import parcels_of
from simulators.modality.links import CERTIFICATE
from simulators.modality.store import ASSOCIATIONS, send
from simulators.settings import Peer
from simulators.tls import client_context

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from simulators.imaging.transfer import Parcel
    from simulators.settings import Settings


@dataclass(frozen=True)
class Destination:
    """Where to send, and how."""

    peer: Peer
    calling: str
    plain: bool
    nagle: bool
    associations: int


def store_files(arguments: argparse.Namespace, settings: Settings) -> Result:
    """Send and measure.

    Raises:
        ArgumentError: nothing to send.
        RefusedError: the archive refused an object.
    """
    parcels = parcels_of(Path(arguments.what))
    target = _target(arguments, settings)
    actor = {"ae_title": target.calling, "peer": target.peer.name}
    with performing(STORE, transaction="RAD-8", **actor, instances=len(parcels)):
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
        "associations": target.associations,
    }
    return Result(
        data, f"{len(parcels)} objects, {size} bytes in {seconds:.2f} s ({rate:.1f} MB/s) to {target.peer.name}"
    )


def generate(arguments: argparse.Namespace, _settings: Settings) -> Result:
    """Make CT images of one study; without arguments of one that no order knows.

    Raises:
        ArgumentError: none are wanted, or the folder cannot be made.
    """
    folder, count = Path(arguments.folder), arguments.count
    if count < 1:
        raise ArgumentError("At least one image is needed.", remedy="Give 1 or more.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(f"{folder}: {error.strerror}", remedy="Name another folder.") from error
    attributes = Dataset()
    attributes.PatientName, attributes.PatientID = "Benchmark^CT", arguments.patient
    attributes.PatientBirthDate, attributes.PatientSex = "19700101", "O"
    attributes.StudyInstanceUID = arguments.study or new_uid()
    attributes.AccessionNumber = arguments.accession
    context = StudyContext(complete(attributes), Equipment("BENCHMARK", "CT simulator"))
    for image in images_of("CT", context, count, phantom=True, size=512):
        image.save_as(folder / f"{image.SOPInstanceUID}.dcm", enforce_file_format=True)
    return Result({"instances": count, "folder": str(folder)}, f"{count} CT images are in {folder}")


def _send(target: Destination, parcels: Sequence[Parcel], settings: Settings) -> float:
    """Send all and return the seconds from opening the first association to the release of the last."""
    tls = None if target.plain else client_context(settings, CERTIFICATE)
    handlers = [(evt.EVT_CONN_OPEN, _nagle)] if target.nagle else []
    opening = partial(associate, target.peer, calling=target.calling, tls=tls, handlers=handlers)
    begun = time.monotonic()
    for outcome in send(opening, parcels, target.associations):
        if outcome.error:
            raise RefusedError(
                f"{target.peer.name} did not take {outcome.uid}: {outcome.error}", remedy="Look at its log."
            )
    return time.monotonic() - begun


def _nagle(event: Any) -> None:
    """Undo TCP_NODELAY: how DICOM toolkits are shipped, for comparison."""
    event.assoc.dul.socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)


def _target(arguments: argparse.Namespace, settings: Settings) -> Destination:
    associations = ASSOCIATIONS if arguments.associations is None else arguments.associations
    if associations < 1:
        raise ArgumentError("--associations needs at least 1.", remedy="Leave it out, or give 1 or more.")
    if (arguments.plain or arguments.port) and not arguments.host:
        raise ArgumentError("--plain and --port need --host.", remedy="Name the host too, or leave them out.")
    if arguments.host:
        service = "dicom" if arguments.plain else "dicom-tls"
        if not arguments.port:
            raise ArgumentError("--host needs --port.", remedy="Name the port too.")
        host = arguments.host
        peer = Peer(host, host, host, arguments.called, (), service, arguments.port, (), identity=host)
    else:
        peer = settings.peer("dicom-tls", permit="C-STORE")
    calling = arguments.calling or settings.host.ae_title or "BENCHMARK"
    return Destination(peer, calling, plain=arguments.plain, nagle=arguments.nagle, associations=associations)
