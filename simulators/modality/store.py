"""RAD-8 Modality Images Stored: C-STORE, over two associations at once where there is enough to send.

While the archive writes one image to its disk and its index, the next one is on its way.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING

from simulators.errors import SimulatorError
from simulators.imaging.transfer import ABORTED, NO_ANSWER, negotiated, store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from pynetdicom.association import Association
    from pynetdicom.presentation import PresentationContext

    from simulators.imaging.transfer import Parcel

    Open = Callable[[Sequence[PresentationContext]], AbstractContextManager[Association]]

ASSOCIATIONS = 2
WORTH_ONE = 10
"""Objects for which opening another association pays."""


@dataclass(frozen=True)
class StoreResult:
    """What the archive said of one object; no ``error`` means that it has it."""

    uid: str
    error: str = ""


def send(open_association: Open, parcels: Sequence[Parcel], associations: int = ASSOCIATIONS) -> Iterator[StoreResult]:
    """Send objects and yield what became of each, as it is known.

    Args:
        open_association: opens one that proposes these presentation contexts.
        parcels: what to send.
        associations: how many at most, at once. An archive that takes only the first gets all over that one.

    Raises:
        AssociationRejectedError, TlsRefusedError, UnreachableError: there is no association, and nothing was sent.
    """
    contexts = negotiated(parcels)
    waiting = deque(parcels)
    done: SimpleQueue[StoreResult | Exception | None] = SimpleQueue()
    with ExitStack() as stack:
        opened = [stack.enter_context(open_association(contexts))]
        with suppress(SimulatorError):
            while len(opened) < min(associations, len(parcels) // WORTH_ONE):
                opened.append(stack.enter_context(open_association(contexts)))
        threads = [Thread(target=_work, args=(association, waiting, done)) for association in opened]
        try:
            for thread in threads:
                thread.start()
            for _ in threads:
                yield from _known(done)
            yield from (StoreResult(parcel.uid, ABORTED) for parcel in waiting)
        finally:
            waiting.clear()  # whoever asked may have stopped listening
            for thread in threads:
                thread.join()


def _work(association: Association, waiting: deque[Parcel], done: SimpleQueue[StoreResult | Exception | None]) -> None:
    """Send what waits, until nothing does or the association is gone."""
    error = ""
    try:
        while association.is_established and error != NO_ANSWER:
            try:
                parcel = waiting.popleft()
            except IndexError:
                break
            error = store(association, parcel)
            done.put(StoreResult(parcel.uid, error))
    except Exception as raised:  # noqa: BLE001 # whatever it is, it belongs to the thread that waits
        done.put(raised)
    finally:
        done.put(None)


def _known(done: SimpleQueue[StoreResult | Exception | None]) -> Iterator[StoreResult]:
    """Yield outcomes until one association's end."""
    while (one := done.get()) is not None:
        if isinstance(one, Exception):
            raise one
        yield one
