"""The hosts' logs as the collector keeps them: one file a host, one JSON object a line."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

from lab.errors import UsageError
from lab.verify.matrix import collector

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine.lab import Lab

FOLDER = "/var/log/pacslab"


class Collected:
    """Reads what reached the collector after a mark.

    Example:
        >>> marks = collected.mark("pacs-rad")
        >>> collected.since("pacs-rad", marks["pacs-rad"])
        [{"host": "pacs-rad", "program": "haproxy", "message": "..."}]
    """

    def __init__(self, lab: Lab) -> None:
        """Take the collector from the lab's site.

        Raises:
            UsageError: the site has no flow to a log collector.
        """
        centre = collector(lab.site)
        if centre is None:
            raise UsageError("The site has no log collector.", remedy="Add a flow to service syslog-tls.")
        self.lab = lab
        self.centre = centre

    def mark(self, *hosts: str) -> dict[str, int]:
        """How many bytes of each host's log there are now; 0 where there is none yet."""
        program = 'for file in "$@"; do stat -c %s "$file" 2>/dev/null || echo 0; done'
        done = self.lab.run(self.centre, ["sh", "-c", program, "sh", *(f"{FOLDER}/{host}.jsonl" for host in hosts)])
        return dict(zip(hosts, map(int, done.stdout.split()), strict=True))

    def following(self, host: str, mark: int) -> tuple[list[dict[str, Any]], int]:
        """The lines after a mark, and the mark after them; a line still being written is left for the next look."""
        done = self.lab.run(self.centre, ["tail", "-c", f"+{mark + 1}", f"{FOLDER}/{host}.jsonl"])
        whole = done.stdout[: done.stdout.rfind("\n") + 1]
        return _lines(whole), mark + len(whole.encode())

    def since(self, host: str, mark: int) -> list[dict[str, Any]]:
        """The lines after a mark."""
        return self.following(host, mark)[0]

    def between(self, host: str, start: int, end: int) -> list[dict[str, Any]]:
        """The lines between two marks; one that begins before ``start`` is left out."""
        program = 'tail -c "+$1" "$3" | head -c "$2"'
        path = f"{FOLDER}/{host}.jsonl"
        done = self.lab.run(self.centre, ["sh", "-c", program, "sh", str(start + 1), str(end - start), path])
        return _lines(done.stdout)

    def has(self, host: str, program: str, text: str) -> bool:
        """Whether there is a whole line of a host's program with a text, at any time."""
        done = self.lab.run(self.centre, ["grep", "-F", "-e", text, f"{FOLDER}/{host}.jsonl"])
        return any(line["program"] == program and text in line["message"] for line in _lines(done.stdout))

    def wait(
        self, host: str, mark: int, wanted: Callable[[dict[str, Any]], bool], *, timeout: float
    ) -> dict[str, Any] | None:
        """The first line after a mark that is wanted, or None when there is none within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            lines, mark = self.following(host, mark)
            for line in lines:
                if wanted(line):
                    return line
            if time.monotonic() > deadline:
                return None
            time.sleep(0.25)


def _lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{") and line.endswith("}")]
