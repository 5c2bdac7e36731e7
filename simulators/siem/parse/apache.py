"""Apache (2.4) in its error log, which has the number of each message (``AH01630``); its requests are events."""

from __future__ import annotations

import re

from simulators.siem.parse.reading import Line, Read

DATASET = "web.log"
FAULT = "serve-fault"

_NUMBERED = re.compile(r"(?P<number>AH\d{5}): ")
_REFUSALS = {
    "AH00126": "malformed", "AH00127": "malformed", "AH00128": "no-resource", "AH00130": "no-resource",
    "AH00135": "other-method", "AH00524": "malformed", "AH00561": "head-too-long", "AH00565": "malformed",
    "AH01070": "malformed", "AH01276": "not-permitted", "AH01617": "wrong-password", "AH01618": "unknown-account",
    "AH01630": "not-permitted", "AH01797": "not-permitted", "AH02003": "malformed", "AH02008": "tls-error",
    "AH02031": "malformed", "AH02032": "malformed", "AH02033": "malformed", "AH02039": "certificate-refused",
    "AH02042": "tls-error", "AH02219": "not-permitted", "AH02221": "certificate-refused", "AH02261": "tls-error",
    "AH02276": "certificate-refused", "AH10244": "malformed",
}  # fmt: skip
"""What it refuses a caller for (docs/log-message-tags of its source)."""
_LIFE = {"AH00163": "start", "AH00489": "start", "AH00094": "", "AH00169": "stop", "AH00491": "stop", "AH00492": "stop"}
_FAULTY = frozenset({"err", "crit", "alert", "emerg", "error"})


def read(line: Line) -> Read | None:
    """Read a line of Apache's error log; none of its text is kept, since a caller writes parts of it."""
    if not (found := _NUMBERED.match(line.message)):
        return None
    number = found["number"]
    if number in _LIFE:
        return Read(_LIFE[number], "success", {}, DATASET) if _LIFE[number] else None
    if reason := _REFUSALS.get(number):
        return Read("request", "refused", {"reason": reason, "code": number}, DATASET)
    if line.severity in _FAULTY:
        return Read(FAULT, "failed", {"reason": "internal-error", "code": number}, DATASET)
    return None
