"""In which media types an archive is asked for what a browser accepts (PS3.18 8.7.5, RFC 9110 12.5.1)."""

from __future__ import annotations

import re
from email.message import Message

from simulators.errors import RefusedError

BULK = 'multipart/related; type="application/octet-stream"'
"""All that an archive gives bulk data as: it takes no list of media types in place of this one."""
_RANGES = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_OCTETS = ("", "application/octet-stream", "application/*", "*/*")


def accept_for(path: str, accepted: str) -> str:
    """What to tell an archive that a resource is accepted in, of what the browser accepts.

    Raises:
        RefusedError: the archive has it in none of these.
    """
    if "/bulk/" not in path:
        return accepted
    if any(_takes_bulk(text) for text in _RANGES.findall(accepted)):
        return BULK
    raise RefusedError("bulk data is not to be had in any media type that is accepted", remedy=f"Accept {BULK}.")


def _takes_bulk(text: str) -> bool:
    """Whether a media range is one of multipart/related with octets in it, and not excluded by its weight."""
    media_range = Message()
    media_range["Content-Type"] = text.strip()
    weight = str(media_range.get_param("q", "1"))
    if not re.fullmatch(r"[01](?:\.[0-9]{0,3})?", weight) or float(weight) == 0:
        return False
    kind = text.partition(";")[0].strip().lower()
    return kind == "*/*" or (kind == "multipart/related" and str(media_range.get_param("type", "")).lower() in _OCTETS)
