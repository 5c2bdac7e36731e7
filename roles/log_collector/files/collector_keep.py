#!/usr/bin/python3 -IS
"""Keep lines of the log: each is written whole, or not at all and offered again by rsyslog.

rsyslog starts this program (omprog with confirmMessages) and hands it ``HOST<tab>LINE`` after the other; each is
answered with OK once it stands in that host's file, and with the reason otherwise. rsyslog's own writer of files counts
a line as written of which a full disk took a part, or nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

FOLDER = Path("/var/log/pacslab")
GROUP = "adm"
LIMITS = Path("/etc/pacslab/log-bytes")  # when a file is full, and what may lie aside
ROTATE = "/usr/local/lib/pacslab/collector-rotate"
LARGEST = 1 << 62
HOST = re.compile(rb"[a-z0-9-]{1,40}")
LONGEST = 1 << 20  # octets that are looked through for the end of a line that was cut


class Files:
    """The files that lines are appended to, by host."""

    def __init__(self, folder: Path, group: str | None, full: int = LARGEST, rotate: str = ROTATE) -> None:
        """``group`` may read them; one of ``full`` octets is put aside by the program ``rotate``."""
        self._folder = folder
        self._group = group
        self._full = full
        self._rotate = rotate
        self._open: dict[bytes, int] = {}

    def close(self) -> None:
        """Let go of all files, which were rotated."""
        for handle in self._open.values():
            os.close(handle)
        self._open.clear()

    def append(self, host: bytes, line: bytes) -> None:
        """Write a line to the end of a host's file; what was written of it before an error is taken back.

        Raises:
            OSError: it is not there.
        """
        if host not in self._open:
            self._open[host] = self._opened(self._folder / f"{host.decode('ascii')}.jsonl")
        handle, written = self._open[host], 0
        try:
            while written < len(line):
                written += os.write(handle, line[written:])
        except OSError:
            if written:
                os.ftruncate(handle, os.fstat(handle).st_size - written)
            raise
        if os.fstat(handle).st_size >= self._full:
            subprocess.run([self._rotate, str(self._folder)], stdout=subprocess.DEVNULL, check=False)
            self.close()

    def _opened(self, path: Path) -> int:
        is_new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        if is_new and self._group is not None:
            shutil.chown(path, group=self._group)
        take_back_cut_line(handle)
        return handle


def take_back_cut_line(handle: int) -> None:
    """Shorten a file to its last whole line: a line that a kill cut off was not answered, so it is offered again."""
    size = os.fstat(handle).st_size
    start = max(0, size - LONGEST)
    end = os.pread(handle, size - start, start).rfind(b"\n") + 1
    if start + end < size:
        os.ftruncate(handle, start + end)


def answer(files: Files, message: bytes) -> str:
    """Keep one message; the answer is ``OK``, or why it is not kept."""
    host, tab, line = message.partition(b"\t")
    if not tab or not HOST.fullmatch(host):
        return "OK"  # no template of ours makes such a message; offered again it would hold up all others
    try:
        files.append(host, line)
    except OSError as error:
        return f"{host.decode('ascii')}: {error.strerror or error}"
    return "OK"


def main() -> None:
    """Answer message after message, until rsyslog closes its end."""
    os.umask(0o027)
    files, rotated = Files(FOLDER, GROUP, int(LIMITS.read_text("ascii").split()[0])), []
    signal.signal(signal.SIGHUP, lambda *_: rotated.append(True))
    sys.stdout.write("OK\n")  # ready
    sys.stdout.flush()
    for message in sys.stdin.buffer:
        if rotated:
            rotated.clear()
            files.close()
        sys.stdout.write(f"{answer(files, message)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
