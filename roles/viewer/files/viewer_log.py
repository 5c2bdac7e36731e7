#!/usr/bin/python3 -I
"""Write each request of a web server with pages for people as an event; Apache hands them over line by line.

Argument: what the server is an edge of, without one the viewer.

Apache's own escapes are no JSON's, and what a line says of an outcome depends on several of its parts.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from pacslab_event import write_event

FIELDS = ("status", "person", "peer", "source_port", "tls", "suite", "method", "path", "milliseconds")
"""In the order of Apache's LogFormat, with tabs between."""
NUMBERS = frozenset({"status", "source_port", "milliseconds"})
PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9.@_-]{0,63}")
PLAIN = re.compile(r"[A-Za-z0-9/._-]{1,200}")
PART_OF_A_PAGE = re.compile(r"/assets/.*|/pages/.*|/static/.*|/live/.*|.*\.(js|css|wasm|woff2|svg|png|ico)")
"""The same for everybody: whoever loads them is not told."""
REASONS = {
    401: "not-signed-in",
    403: "not-permitted",
    404: "no-resource",
    405: "other-method",
    408: "timeout",
    413: "oversized",
    414: "head-too-long",
    431: "head-too-long",
}
REFUSED, FAILED = 400, 500
VIEWER = "viewer"


def main() -> None:
    """Write an event for each line, until Apache closes the pipe."""
    for line in sys.stdin:
        read(line.rstrip("\n"), *sys.argv[1:2])


def read(line: str, edge: str = VIEWER) -> None:
    """Write the event of a line; a line of another form would be a mistake of the configuration, and is told as one."""
    values = line.split("\t")
    if len(values) != len(FIELDS):
        write_event("request", "failed", "internal-error", edge=edge, error="LogFormat")
        return
    told = {name: "" if value == "-" else value for name, value in zip(FIELDS, values, strict=True)}
    facts: dict[str, str | int] = {name: int(told[name]) for name in NUMBERS if told[name].isdecimal()}
    facts |= {name: told[name] for name in ("peer", "tls", "suite", "method") if PLAIN.fullmatch(told[name])}
    facts |= {"person": told["person"]} if PERSON.fullmatch(told["person"]) else {}
    facts |= {"path": told["path"]} if PLAIN.fullmatch(told["path"]) else {}
    status = int(told["status"]) if told["status"].isdecimal() else FAILED
    if status >= FAILED:
        write_event("request", "failed", "broken-off", edge=edge, **facts)
    elif status >= REFUSED:
        write_event("request", "refused", REASONS.get(status, "malformed"), edge=edge, **facts)
    elif not PART_OF_A_PAGE.fullmatch(told["path"]):
        write_event("request", edge=edge, **facts)


if __name__ == "__main__":
    main()
