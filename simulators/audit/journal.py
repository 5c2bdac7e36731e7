"""Follows the host's journal from a place in it on, in batches of what is there at the moment."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from simulators.audit.told import FIELDS, matches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

COMMAND = ("journalctl", "--follow", "--no-tail", "--all", "--quiet", "--output=json")
"""``--all``: a field of more than 4096 octets is told too."""
AT_ONCE = 1 << 17
"""Octets that are read at a time; a message to the repository is made of each line in them before the next is read."""


class Journal:
    """journalctl(1), with the matches of :mod:`simulators.audit.told`."""

    def __init__(self, units: Sequence[str], place: str, command: Sequence[str] = COMMAND) -> None:
        """Begin after a place, or where none is known with the first line since the host's start.

        Args:
            units: the units of which systemd's lines are of interest.
            place: cursor of an entry.
            command: what prints entries as JSON.
        """
        begin = [f"--after-cursor={place}"] if place else ["--boot"]
        fields = [f"--output-fields={','.join(FIELDS)}"]
        self._process = subprocess.Popen(
            [*command, *fields, *begin, *matches(list(units))], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL
        )
        self._rest = b""

    def batches(self, wake: int, seconds: float) -> Iterator[list[dict[str, Any]]]:
        """Yield entries as they come; an empty list after `seconds` without one, or when `wake` can be read.

        It ends when journalctl does.
        """
        if self._process.stdout is None:
            return
        handle = self._process.stdout.fileno()
        while True:
            ready, _, _ = select.select([handle, wake], [], [], seconds)
            if handle not in ready:
                yield []
                continue
            data = os.read(handle, AT_ONCE)
            if not data:
                return
            yield self._entries(data)

    def until(self, is_last: Callable[[dict[str, Any]], bool], seconds: float) -> list[dict[str, Any]]:
        """Return the entries that come until the last one does, or within some seconds where none is the last."""
        deadline = time.monotonic() + seconds
        found: list[dict[str, Any]] = []
        while self._process.stdout is not None and (left := deadline - time.monotonic()) > 0:
            handle = self._process.stdout.fileno()
            if handle not in select.select([handle], [], [], left)[0] or not (data := os.read(handle, AT_ONCE)):
                break
            came = self._entries(data)
            found += came
            if any(is_last(entry) for entry in came):
                break
        return found

    def _entries(self, data: bytes) -> list[dict[str, Any]]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [entry for line in lines if (entry := _entry(line)) is not None]

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and isinstance(entry.get("__CURSOR"), str) else None
