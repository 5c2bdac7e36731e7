"""Whether the host itself goes down: its units stop with it then, and nobody has stopped them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from simulators.audit.told import SHUTDOWN, UNIT_START, UNIT_STOP, WHOLE_HOST, Told

if TYPE_CHECKING:
    from pathlib import Path


class HostEnd:
    """What the journal has told of the host's end; it is noted, since much of it is read after the next start."""

    def __init__(self, note: Path) -> None:
        """Go on where the note says."""
        self._note = note
        self.begun = note.exists()
        """Whether the host is going down."""

    def seen(self, event: Told) -> Told:
        """Return the event; of a unit that stops with the host, with that as its reason."""
        if event.action not in {UNIT_START, UNIT_STOP}:
            return event
        if event.text("unit") == WHOLE_HOST:
            self._is(begun=event.action == UNIT_STOP)
            return event
        if self.begun and event.action == UNIT_STOP and not event.text("reason"):
            return Told(**{**vars(event), "facts": {**event.facts, "reason": SHUTDOWN}})
        return event

    def _is(self, *, begun: bool) -> None:
        self.begun = begun
        with suppress(OSError):
            if begun:
                self._note.touch()
            else:
                self._note.unlink(missing_ok=True)
