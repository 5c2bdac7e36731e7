"""What was read on the hospital's hosts, as raw text with its source and time, until somebody takes it as evidence."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.results.model import Observation

SOURCES = 12
"""How many sources are kept, the last ones: what is looked at again and again replaces itself."""
CHARACTERS = 4000
SOURCE_CHARACTERS = 300


@dataclass
class Trail:
    """The last text of each source.

    >>> trail = Trail()
    >>> trail.note("up", "uptime on ct1", 1.0)
    >>> trail.take()
    (Observation(text='up', source='uptime on ct1', at=1.0),)
    >>> trail.take()
    ()
    """

    _last: dict[str, Observation] = field(default_factory=dict)

    def note(self, text: str, source: str, at: float) -> None:
        """Keep what was read; an earlier text of the same source goes, and so does the oldest of too many."""
        source = _cut(source, SOURCE_CHARACTERS)
        self._last.pop(source, None)
        self._last[source] = Observation(_cut(text.strip(), CHARACTERS), source, at)
        if len(self._last) > SOURCES:
            del self._last[next(iter(self._last))]

    def take(self) -> tuple[Observation, ...]:
        """Return what was kept, oldest first, and begin again."""
        taken = tuple(self._last.values())
        self._last.clear()
        return taken


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} [... {len(text) - most} more characters]"
