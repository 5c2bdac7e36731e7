"""A lab for trials: a clone that may be damaged, made from a snapshot and removed again whatever comes of it."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lab.engine.images import Images
from lab.engine.lab import Lab
from lab.engine.lock import locked
from lab.engine.record import load_record
from lab.errors import UsageError
from lab.operate import snapshot
from lab.operate.bring_up import LabBringUp
from lab.operate.take_down import take_down

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.events import Bus
    from lab.settings import Settings


@contextmanager
def trial_lab(settings: Settings, lab: Lab, purpose: str, bus: Bus, kept: str | None = None) -> Iterator[Lab]:
    """Yield a healthy clone of a lab, called ``<lab>-<purpose>``; afterwards it is gone, on Ctrl-C too.

    Args:
        settings: Where labs and snapshots are.
        lab: The lab that is cloned.
        purpose: What the clone is for, in one word.
        bus: Told how far the clone is.
        kept: The snapshot to clone; without one the lab is kept for the clone (its hosts stop for some seconds), and
            that snapshot is removed with it.

    Raises:
        UsageError: there is no such snapshot, a lab of the clone's name is no clone, or the lab is not healthy.
        EngineError: Docker refused.
        UnhealthyError: the clone or the lab did not become healthy.
    """
    name = f"{lab.name}-{purpose}"
    with ExitStack() as stack:
        stack.enter_context(locked(settings.state, name))
        _remove_left_over(settings, lab, name)
        if kept is None:
            stack.callback(_remove_snapshot, settings, lab, name)
            _keep(settings, lab, name, bus)
        stack.callback(take_down, settings, lab.docker, name)
        snapshot.prepare_clone(settings, kept or name, name)
        folder = settings.lab_folder(name)
        record = load_record(folder)
        clone = Lab.describe(name, Path(record.topology) if record else folder, folder, record)
        LabBringUp(clone, bus).run()
        yield clone


def _keep(settings: Settings, lab: Lab, name: str, bus: Bus) -> None:
    """Keep the lab under a name; it comes up again whether or not that succeeds."""
    with locked(settings.state, lab.name):
        try:
            snapshot.save(settings, lab, name, bus)
        finally:
            LabBringUp(lab, bus).run()


def _remove_left_over(settings: Settings, lab: Lab, name: str) -> None:
    """Remove what a trial left that was killed.

    Raises:
        UsageError: what has the name is a lab that was made from a description.
    """
    record = load_record(settings.lab_folder(name))
    if record and record.snapshot is None:
        raise UsageError(
            f"There is a lab {name!r}, which is not the trial's.",
            remedy=f"Its name is needed: 'pacslab down --lab {name}'.",
        )
    take_down(settings, lab.docker, name)
    _remove_snapshot(settings, lab, name)


def _remove_snapshot(settings: Settings, lab: Lab, name: str) -> None:
    if (settings.snapshot_folder(name) / snapshot.FILE).is_file():
        snapshot.remove(settings, lab.docker, Images(lab.docker.path), name)
