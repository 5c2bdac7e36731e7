"""Forwards in the background: which there are, and how they end."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.atomic_write import atomic_write
from lab.state_file import DamagedFileError, read_json

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
        return self.pid > 0 and bool(self.started) and start_of(self.pid) == self.started


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
    """Every forward that a lab's folder names, running or not.

    Raises:
        DamagedFileError: one of its files is not what was written there.
    """
    return [load(path) for path in files(folder)]


def files(folder: Path) -> list[Path]:
    """The file of each forward that a lab's folder names."""
    return sorted((folder / FOLDER).glob("*.json"))


def load(path: Path) -> BackgroundForward:
    """Read the file of a forward.

    Raises:
        FileNotFoundError: it is gone.
        DamagedFileError: it is not what was written there.
    """
    return read_json(
        path, BackgroundForward, remedy=f"Look which process serves that port, and remove it: 'rm {path}'."
    )


def stop_all(folder: Path, local: int | None = None) -> list[int]:
    """End the lab's forwards, or the one of a local port; the answer is the ports that were served."""
    ended = []
    for path in files(folder):
        try:
            forward = load(path)
        except DamagedFileError:
            if local is None:  # whose process it names is not known: the file goes, and no process is ended
                path.unlink(missing_ok=True)
            continue
        if local in (None, forward.local):
            if forward.alive:
                os.kill(forward.pid, signal.SIGTERM)
                ended.append(forward.local)
            path.unlink(missing_ok=True)
    return ended
