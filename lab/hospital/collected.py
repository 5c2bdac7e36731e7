"""The hosts' logs as the collector keeps them: one file a host, one JSON object a line; full files are rotated away."""

from __future__ import annotations

import base64
import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.deadline import Deadline
from lab.errors import UsageError
from lab.hospital.programs import program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.engine.lab import Lab
    from lab.topology.site import Site

FOLDER = "/var/log/pacslab"

Mark = dict[str, int]
"""A moment in a host's log: how many bytes each of its files had then.

A file goes by its inode and its birth, which it keeps when it is rotated away."""

_END = 1 << 62
"""Past the end of every file, in bytes."""

_PLAIN = re.compile(r"[\w.-]+", re.ASCII)
"""A value that stands in a line as it is: JSON escapes none of its characters."""


def collector(site: Site) -> str | None:
    """The host that others send their logs to."""
    return next((flow.target for flow in site.flows_to("log-collection")), None)


def is_event(line: Mapping[str, Any], **keys: object) -> bool:
    """Whether a collected line is an event that has these keys with these values (docs/events.md).

    ``program`` is the name under which the line was logged; the other keys are the event's own.

    Example:
        >>> is_event({"program": "pacslab-ris", "data": {"action": "query"}}, program="pacslab-ris", action="query")
        True
    """
    data = line.get("data")
    if not isinstance(data, dict) or "action" not in data:
        return False
    event = {**data, "program": line.get("program")}
    return all(event.get(key) == value for key, value in keys.items())


class Collected:
    """Reads what reached the collector after a mark.

    Example:
        >>> mark = collected.mark("pacs-rad")
        >>> collected.since("pacs-rad", mark)
        [{"host": "pacs-rad", "program": "haproxy", "message": "..."}]
    """

    def __init__(self, lab: Lab) -> None:
        """Take the collector from the lab's site.

        Raises:
            UsageError: the site has no flow to a log collector.
        """
        centre = collector(lab.site)
        if centre is None:
            raise UsageError("The site has no log collector.", remedy="Add a flow to a service that collects logs.")
        self.lab = lab
        self.centre = centre

    def mark(self, host: str) -> Mark:
        """Where a host's log ends now."""
        sizes = (line.split() for line in self._run("sizes", host).splitlines())
        return {file: int(size) for file, size in sizes}

    def following(self, host: str, mark: Mark) -> tuple[list[dict[str, Any]], Mark]:
        """The lines after a mark, and the mark after them; a line still being written is left for the next look."""
        lines: list[dict[str, Any]] = []
        read_to: Mark = {}
        for file, part in self._parts(host, {file: (size, _END) for file, size in mark.items()}):
            whole = part[: part.rfind(b"\n") + 1]
            lines += _lines(whole)
            read_to[file] = mark.get(file, 0) + len(whole)
        return lines, read_to

    def since(self, host: str, mark: Mark) -> list[dict[str, Any]]:
        """The lines after a mark."""
        return self.following(host, mark)[0]

    def before(self, host: str, mark: Mark, size: int) -> list[dict[str, Any]]:
        """The lines in the last ``size`` bytes that each file had at a mark; one that begins earlier is left out."""
        starts = {file: max(0, end - size) for file, end in mark.items()}
        lines: list[dict[str, Any]] = []
        for file, part in self._parts(host, {file: (starts[file], end) for file, end in mark.items()}):
            if file in mark:
                lines += _lines(part if starts[file] == 0 else part[part.find(b"\n") + 1 :])
        return lines

    def has(self, host: str, program: str, text: str) -> bool:
        """Whether there is a whole line of a host's program with a text, at any time."""
        lines = _lines(self._run("found", host, text).encode())
        return any(line["program"] == program and text in line["message"] for line in lines)

    def has_event(self, host: str, **keys: object) -> bool:
        """Whether there is an event of a host with these keys, at any time; see :func:`is_event`."""
        needle = max((str(value) for value in keys.values() if _PLAIN.fullmatch(str(value))), key=len, default="")
        return any(is_event(line, **keys) for line in _lines(self._run("found", host, needle).encode()))

    def wait(
        self,
        host: str,
        mark: Mark,
        wanted: Callable[[dict[str, Any]], bool] | None = None,
        *,
        timeout: float,
        **keys: object,
    ) -> dict[str, Any] | None:
        """The first line after a mark that is wanted, or None when there is none within ``timeout`` seconds.

        Args:
            host: whose log.
            mark: from when on.
            wanted: says of a line whether it is wanted; any is, unless ``keys`` say otherwise.
            timeout: seconds.
            keys: what the event in the line has to have; see :func:`is_event`.

        Example:
            >>> collected.wait("ris1", mark, timeout=20, action="query", outcome="refused", reason="foreign-worklist")
            {"host": "ris1", "program": "pacslab-ris", "message": "...", "data": {"action": "query", ...}}
        """
        deadline = Deadline(timeout)
        while True:
            lines, mark = self.following(host, mark)
            for line in lines:
                if (wanted is None or wanted(line)) and (not keys or is_event(line, **keys)):
                    return line
            if deadline.over:
                return None
            deadline.pause(0.25)

    def _parts(self, host: str, parts: dict[str, tuple[int, int]]) -> list[tuple[str, bytes]]:
        """What each of a host's files has from a start to an end; all of a file that is not named."""
        words = (f"{file}:{start}:{end}" for file, (start, end) in parts.items())
        said = (line.split(" ") for line in self._run("parts", host, *words).splitlines())
        return [(file, base64.b64decode(part)) for file, part in said]

    def _run(self, verb: str, host: str, *words: str) -> str:
        argv = ["sh", "-s", "--", verb, FOLDER, host, *words]
        return self.lab.run(self.centre, argv, input=program("collected_files.sh")).stdout


def _lines(part: bytes) -> list[dict[str, Any]]:
    """The lines that are whole; one that is still being written is no JSON yet."""
    lines = []
    for text in part.decode("utf-8", "replace").split("\n"):
        with suppress(ValueError):
            line = json.loads(text)
            if isinstance(line, dict):
                lines.append(line)
    return lines
