"""``.lab/<lab>/run.jsonl``: every event of every run, one JSON object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from lab.events import Event

FILE = "run.jsonl"


class RunLog:
    """Appends events; each line is written at once, so that nothing is lost when the process is killed."""

    def __init__(self, folder: Path) -> None:
        """Log below a lab's folder, which is made where it is missing."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = (folder / FILE).open("a", encoding="utf-8", buffering=1)

    def __call__(self, event: Event) -> None:
        """Write one event."""
        self._file.write(json.dumps(event.as_dict()) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._file.close()
