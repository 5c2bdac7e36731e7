"""What the judge remembers, kept on disk between two starts: a snapshot, and the position of the last event in it.

Two are kept. One that knows of events which were never stored, since the host failed before, is passed over: their
senders send them again, and they would count twice. Events that were stored after a snapshot are told again.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from simulators.siem.fields import Fields

NAMES = ("judge.json", "judge.older.json")
EVERY = 30.0
"""Seconds between two snapshots."""


class Rememberer(Protocol):
    """What remembers events."""

    def learn(self, event: int, fields: Fields) -> None:
        """Take the event of a position, which was judged before."""

    def snapshot(self) -> Any:
        """Return what is remembered."""

    def restore(self, snapshot: Any) -> None:
        """Remember it again."""


class Memory:
    """The files of what a judge remembers."""

    def __init__(self, folder: Path, judge: Rememberer) -> None:
        """Keep what a judge remembers in a folder."""
        self._folder, self._judge = folder, judge
        self._saved_at = 0.0

    def recall(self, stored: int, events_after: Callable[[int], Iterable[tuple[int, Fields]]]) -> int:
        """Have the judge remember what it did when the store was left; return how many events it was told again.

        Args:
            stored: position of the last record in the store.
            events_after: yields the stored events with their positions, from a position on and in order; ``0`` asks for
                as many of the newest as any rule looks back.
        """
        position = 0
        for name in NAMES:
            kept = _read(self._folder / name)
            if kept is not None and kept["position"] <= stored:
                position = int(kept["position"])
                self._judge.restore(kept["judge"])
                break
        told = 0
        for place, fields in events_after(position):
            with suppress(Exception):  # a rule failed at it before, too, and that was told
                self._judge.learn(place, fields)
            told += 1
        return told

    def keep(self, position: int, now: float) -> bool:
        """Write down what the judge remembers after the record at a position, once in a while; tell whether it did.

        Args:
            position: of the last record that was judged.
            now: seconds of any clock that goes on steadily.

        Raises:
            OSError: it cannot be written.
        """
        if self._saved_at and now - self._saved_at < EVERY:
            return False
        self._saved_at = now
        newest, older = (self._folder / name for name in NAMES)
        draft = newest.with_suffix(".new")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"position": position, "judge": self._judge.snapshot()}, file, separators=(",", ":"))
            file.flush()
            os.fsync(file.fileno())
        if newest.exists():
            newest.replace(older)
        draft.replace(newest)
        return True


def _read(path: Path) -> dict[str, Any] | None:
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(kept, dict) and isinstance(kept.get("position"), int) and isinstance(kept.get("judge"), dict)
    return kept if whole else None
