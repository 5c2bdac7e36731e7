#!/usr/bin/python3 -I
"""Tell of every file that the host's programs are made of which is not as it was: another content, mode or owner.

Usage: integrity SETTINGS. Settings: ``{"places": [folder or file], "without": [pattern], "seconds": ...}``.

What it saw last is kept, so that what changed while it did not run is told too. A file is read again only when the
kernel says that something of it has changed (size, times, inode). A change is told when two looks have seen the same.
One that a configuration run has announced in CHANGED, with content, mode and owner, is told as such; any other as
file-changed.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import sys
import threading
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, "/usr/local/lib/pacslab")
from pacslab_event import write_event

if TYPE_CHECKING:
    from collections.abc import Iterator

STATE = Path("/var/lib/pacslab-integrity")
"""What is kept; that the folder is there tells configuration runs to announce what they change."""
CHANGED = STATE / "changed"
"""Lines ``sha256 mode uid gid path``, or ``- - - - path`` of what is removed; the last one of a path counts."""
KNOWN = STATE / "known.json"
MOST = 50
"""Files that are told one by one in a look; of more, how many."""
BLOCK = 1 << 20

Entry = tuple[str, str, int, int]
"""SHA-256, mode, owner and group of a file."""
Sign = tuple[int, ...]
"""What the kernel says of a file that is another when the file is."""


def found(places: list[str], without: list[str]) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files at these places, symbolic links aside, each with what the kernel says of it."""
    waiting = list(places)
    while waiting:
        place = waiting.pop()
        try:
            info = os.lstat(place)
            if stat.S_ISREG(info.st_mode) and not any(fnmatchcase(place, pattern) for pattern in without):
                yield place, info
            if stat.S_ISDIR(info.st_mode):
                with os.scandir(place) as entries:
                    waiting += [entry.path for entry in entries if not entry.is_symlink()]
        except OSError:
            continue


def entry_of(path: str) -> tuple[Sign, Entry] | None:
    """Read a file; None where it is none, or is gone."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb", buffering=0) as file:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode):
            return None
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
    mode = f"{stat.S_IMODE(info.st_mode):04o}"
    return sign_of(info), (digest.hexdigest(), mode, info.st_uid, info.st_gid)


def sign_of(info: os.stat_result) -> Sign:
    """Return what is another when the file is: its times too, of which nobody sets that of the last change."""
    return (
        info.st_ino, info.st_size, info.st_mode, info.st_uid, info.st_gid, info.st_mtime_ns, info.st_ctime_ns,
    )  # fmt: skip


class Watch:
    """The files, as they were and as they are."""

    def __init__(self, places: list[str], without: list[str], state: Path = STATE) -> None:
        """Go on with what was kept; where nothing was, with what is there now."""
        self._places, self._without, self._state = places, without, state
        self._signs: dict[str, tuple[Sign, Entry]] = {}
        self._seen: dict[str, Entry | None] = {}
        try:
            kept = json.loads((state / KNOWN.name).read_text("utf-8"))
            self._known: dict[str, Entry] = {path: (e[0], e[1], e[2], e[3]) for path, e in kept.items()}
        except (OSError, ValueError, LookupError, AttributeError):
            self._known = self._look()
            self._keep()
            write_event("start", "success", found=len(self._known))

    def turn(self) -> None:
        """Look, and tell of what two looks have seen."""
        now = self._look()
        differs = {
            path: now.get(path) for path in now.keys() | self._known.keys() if now.get(path) != self._known.get(path)
        }
        told = {path: entry for path, entry in differs.items() if path in self._seen and self._seen[path] == entry}
        self._seen = differs
        if told:
            self._tell(told)
            for path, entry in told.items():
                self._seen.pop(path)
                if entry is None:
                    self._known.pop(path)
                else:
                    self._known[path] = entry
            self._keep()

    def _look(self) -> dict[str, Entry]:
        signs: dict[str, tuple[Sign, Entry]] = {}
        for path, info in found(self._places, self._without):
            before = self._signs.get(path)
            read = before if before is not None and sign_of(info) == before[0] else entry_of(path)
            if read is not None:
                signs[path] = read
        self._signs = signs
        return {path: entry for path, (_, entry) in signs.items()}

    def _tell(self, changes: dict[str, Entry | None]) -> None:
        announced = self._announced()
        unasked = [path for path in sorted(changes) if announced.get(path, "") != _line(changes[path])]
        asked = sorted(changes.keys() - set(unasked))
        for paths, outcome, reason in ((unasked, "failed", "file-changed"), (asked, "success", None)):
            for path in paths[:MOST]:
                change = "remove" if changes[path] is None else "update" if path in self._known else "add"
                shown = path.encode("utf-8", "backslashreplace").decode("utf-8")
                write_event("change-file", outcome, reason, host_file=shown, change=change)
            if len(paths) > MOST:
                write_event("change-file", outcome, reason, found=len(paths))

    def _announced(self) -> dict[str, str]:
        try:
            lines = (self._state / CHANGED.name).read_text("utf-8", "surrogateescape").splitlines()
        except OSError:
            return {}
        return {words[4]: " ".join(words[:4]) for line in lines if len(words := line.split(" ", 4)) == 5}  # noqa: PLR2004

    def _keep(self) -> None:
        draft = self._state / "known.new"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(self._known, file)
        draft.replace(self._state / KNOWN.name)


def _line(entry: Entry | None) -> str:
    return "- - - -" if entry is None else " ".join(map(str, entry))


def main(argv: list[str]) -> int:
    """Watch until told to stop."""
    settings = json.loads(Path(argv[0]).read_text("utf-8"))
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    watch = Watch(settings["places"], settings["without"])
    while not stopping.wait(float(settings["seconds"])):
        watch.turn()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
