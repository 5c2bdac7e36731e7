"""Forwards in the background: which there are, and how they end."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.atomic_write import atomic_write

FOLDER = "forwards"


@dataclass(frozen=True)
class BackgroundForward:
    """A process that serves a port of this machine. ``started`` tells it from a later process of the same id."""

    pid: int
    started: str
    local: int
    host: str
    port: int
    workstation: str

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return start_of(self.pid) == self.started


def start_of(pid: int) -> str:
    """When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); empty when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return ""
    return text.rpartition(")")[2].split()[19]


def note(folder: Path, forward: BackgroundForward) -> Path:
    """Write down a forward of a lab."""
    path = folder / FOLDER / f"{forward.local}.json"
    path.parent.mkdir(exist_ok=True)
    atomic_write(path, json.dumps(asdict(forward)) + "\n")
    return path


def load_all(folder: Path) -> list[BackgroundForward]:
    """Every forward that a lab's folder names, running or not."""
    return [
        BackgroundForward(**json.loads(path.read_text("utf-8"))) for path in sorted((folder / FOLDER).glob("*.json"))
    ]


def stop_all(folder: Path, local: int | None = None) -> list[int]:
    """End the lab's forwards, or the one of a local port; the answer is the ports that were served."""
    ended = []
    for forward in load_all(folder):
        if local in (None, forward.local):
            if forward.alive:
                os.kill(forward.pid, signal.SIGTERM)
                ended.append(forward.local)
            (folder / FOLDER / f"{forward.local}.json").unlink(missing_ok=True)
    return ended
