"""What the judge remembers over a restart: written down now and then, with the position of the last event."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from simulators.siem.core.finding import Judge

EVERY = 60.0
"""Seconds between two times that it is written."""
LONGEST = 64 << 20
"""Octets; more is not written."""


def save(path: Path, judge: Judge, position: int) -> None:
    """Write down what the judge remembers after the event of this position.

    Raises:
        OSError: it cannot be written; what was written before stays.
    """
    kept = {"position": position, "judge": judge.snapshot()}
    data = json.dumps(kept, separators=(",", ":")).encode("utf-8", "replace")
    if len(data) > LONGEST:
        return
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def restore(path: Path, judge: Judge) -> int:
    """Have the judge remember what was written down; return the position of the last event that it has seen, or 0."""
    try:
        kept = json.loads(path.read_bytes())
        judge.restore(kept["judge"])
        return int(kept["position"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0  # it is reminded by the events of the last hour
