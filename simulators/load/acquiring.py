"""A technologist: every step of the station's worklist is performed, and what an outage left is delivered."""

from __future__ import annotations

import zlib
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from simulators.command_line import Result
from simulators.deadline import Deadline
from simulators.errors import SimulatorError
from simulators.imaging.digest import pixel_digests
from simulators.modality import acquisition, worklist
from simulators.modality.deliver import Courier, store_images
from simulators.modality.links import links_of
from simulators.modality.spool import ACQUIRED, COMPLETED, IN_PROGRESS, Spool

if TYPE_CHECKING:
    from argparse import Namespace

    from pydicom.dataset import Dataset

    from simulators.modality.links import Links
    from simulators.modality.spool import PerformedStep
    from simulators.settings import Settings

PAUSE = 0.5


def acquire(arguments: Namespace, settings: Settings) -> Result:
    """Perform steps; return for each what was acquired, whether or not the archive has it by now."""
    links, spool = links_of(settings), Spool()
    courier = Courier(lambda: links, spool)  # the service does not come to it while steps follow each other
    deadline = Deadline(arguments.seconds)
    listed: deque[Dataset] = deque()
    performed: list[dict[str, Any]] = []
    while not deadline.over:
        with spool.delivering(wait=True):
            step = _begin(links, spool, listed, arguments.prefix)
            if step is not None:
                performed.append(_perform(links, spool, step, arguments))
        courier.round()
        if step is None:
            deadline.pause(PAUSE)
    return Result({"performed": performed}, f"{len(performed)} steps")


def _begin(links: Links, spool: Spool, listed: deque[Dataset], prefix: str) -> PerformedStep | None:
    """Begin the next step, or go on with one whose beginning was not answered; None while there is none."""
    begun = next((step for step in spool.steps() if _waits(spool, step, prefix)), None)
    with suppress(SimulatorError):  # the RIS is away
        if begun is not None:
            return acquisition.confirm(links, spool, begun)
        if not listed:
            listed += [item for item in worklist.query(links, patient_id=f"{prefix}*") if _of_load(item, prefix)]
        if listed:
            return acquisition.perform(links, spool, listed.popleft(), commit=True)
    listed.clear()
    return None


def _waits(spool: Spool, step: PerformedStep, prefix: str) -> bool:
    if step.status != IN_PROGRESS or spool.instances(step.uid):
        return False
    return _of_load(acquisition.item_of(step), prefix)


def _of_load(item: Dataset, prefix: str) -> bool:
    """Whether a step is of a patient of this work, and not of somebody else's."""
    return str(item.get("PatientID") or "").startswith(prefix)


def _perform(links: Links, spool: Spool, step: PerformedStep, arguments: Namespace) -> dict[str, Any]:
    """Make and store the images of a step, and end it."""
    wanted = {"images": arguments.images, "size": arguments.matrix, "phantom": links.modality == "CT"}
    acquisition.acquire(links, spool, step, **wanted, seed=zlib.crc32(step.uid.encode()))
    made = spool.instances(step.uid, [ACQUIRED])
    digests = pixel_digests(spool.path(instance.uid) for instance in made)
    store_images(links, spool, made)
    acquisition.end(spool, step, COMPLETED)
    return {"accession": step.accession, "study": step.study, "digests": digests}
