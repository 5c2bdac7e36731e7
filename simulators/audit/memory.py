"""What the daemon remembers besides its messages: which callers the host has met, and what was told lately."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MOST_KNOWN = 10_000
"""Callers that are remembered, and things that are told once in a while."""


@dataclass
class Memory:
    """Which callers this host has met, and what was told lately."""

    path: Path
    known: set[str] = field(default_factory=set)
    lately: dict[tuple[str, ...], float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Memory:
        """Read what a former run has met."""
        with suppress(OSError, ValueError):
            found = json.loads(path.read_text("utf-8"))
            return cls(path, {str(caller) for caller in found}) if isinstance(found, list) else cls(path)
        return cls(path)

    def meets(self, callers: set[str]) -> None:
        """Remember callers, over a restart too."""
        if callers <= self.known or len(self.known) >= MOST_KNOWN:
            return
        self.known |= callers
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(sorted(self.known)), "utf-8")
        draft.replace(self.path)

    def tells(self, told_now: Mapping[tuple[str, ...], float]) -> None:
        """Remember until when something is not told again."""
        now = time.monotonic()
        if len(self.lately) + len(told_now) > MOST_KNOWN:
            self.lately = {key: until for key, until in self.lately.items() if until > now}
        if len(self.lately) + len(told_now) <= MOST_KNOWN:
            self.lately |= told_now
