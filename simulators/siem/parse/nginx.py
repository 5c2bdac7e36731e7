"""nginx (1.26) where it keeps its own form: requests for revocation lists, and what it could not do."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read, cut, told

DATASET = "web.log"
FAULT = "serve-fault"

_ACCESS = re.compile(
    r'(?P<peer>[0-9A-Fa-f.:]{2,45}) - \S{1,64} \[[^\]]{1,40}\] "(?P<request>[^"]*)"'
    r" (?P<status>\d{3}) (?P<size>\d{1,18}) "
)
_ERROR = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(?P<level>[a-z]{3,6})\] \d{1,10}#\d{1,10}: (?P<text>[^\n]*)")
_CLIENT = re.compile(r", client: (?P<peer>[0-9A-Fa-f.:]{2,45}), server: ")
REFUSED, FAILED = 400, 500
REASONS = {
    "400": "malformed", "401": "not-signed-in", "403": "not-permitted", "404": "no-resource", "405": "other-method",
    "408": "timeout", "413": "oversized", "414": "head-too-long", "429": "too-fast", "431": "head-too-long",
}  # fmt: skip


def read(line: Line) -> Read | None:
    """Read a line of nginx that is no event."""
    if found := _ACCESS.match(line.message):
        facts = request(found["request"])
        status = found["status"]
        facts.update(peer=found["peer"], status=status, bytes_out=int(found["size"]))
        if int(status) >= FAILED:
            return Read("request", "failed", {**facts, "reason": "broken-off"}, DATASET)
        if int(status) >= REFUSED:
            return Read("request", "refused", {**facts, "reason": REASONS.get(status, "malformed")}, DATASET)
        return Read("request", "success", facts, DATASET)
    if (found := _ERROR.match(line.message)) and found["level"] in {"error", "crit", "alert", "emerg"}:
        client = _CLIENT.search(found["text"])
        facts = told(peer=client["peer"] if client else "", reason="internal-error", status=found["level"])
        return Read(FAULT, "failed", facts, DATASET)
    return None


def request(text: str) -> dict[str, object]:
    """Return method and path of a request line (RFC 9112 3), without its query; what has another form is not told."""
    words = text.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/") or not words[0].isalpha():  # noqa: PLR2004 - of RFC 9112
        return {"method": "-"}
    return {"method": cut(words[0]), "path": cut(words[1].partition("?")[0])}
