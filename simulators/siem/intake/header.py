"""The header of a syslog message (RFC 5424 6), and what numbers it (docs/audit.md)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MSGID = b"DICOM+RFC3881"
"""What PS3.15 A.6 names an audit message by."""

_NUMBER = (
    rb'\[pacslab@32473 seq="([1-9]\d{0,17})" run="([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"\]'
)
_NUMBERED = re.compile(_NUMBER)
_OURS = re.compile(
    rb"<\d{1,3}>1 [^ ]* [^ ]* ([\x00-\x1f!-\x7f]*) ([\x00-\x1f!-\x7f]*) ([^ ]*) " + _NUMBER + rb" (?:\xef\xbb\xbf)?"
)
"""A header as our own senders write it, with nothing but the number in its structured data."""
_BEGIN = re.compile(rb"<\d{1,3}>1")
_OTHERS = re.compile(rb'((?:\[(?:[^\]\\"]|"(?:[^"\\\]]|\\.)*")*\])*)(?: |$)', re.DOTALL)
"""Structured data (RFC 5424 6.3): elements, in whose values quotes and brackets are escaped."""
_MARK = b"\xef\xbb\xbf"
"""May stand before a content of UTF-8 (RFC 5424 6.4)."""
_FIELDS = 7


class Header(NamedTuple):
    """What a message is called, and its content."""

    number: int
    run: bytes
    """16 octets: the UUID that names the sender's spool."""
    program: str
    pid: str
    msgid: bytes
    content: bytes


def read_header(message: bytes) -> Header | None:
    """Return what a message says before its content; None where it is no numbered syslog message.

    Facility, time and host name of the header are not looked at: the audit message has its own, and who sent it is what
    the certificate says.
    """
    if ours := _OURS.match(message):
        program, pid, msgid, number, run = ours.groups()
        return Header(int(number), _octets(run), program.decode(), pid.decode(), msgid, message[ours.end() :])
    parts = message.split(b" ", _FIELDS - 1)
    if len(parts) != _FIELDS or not _BEGIN.fullmatch(parts[0]):
        return None
    _, _, _, program, pid, msgid, rest = parts
    if not (program.isascii() and pid.isascii()) or (found := _structured(rest)) is None:
        return None
    numbered, content = found
    return Header(int(numbered[1]), _octets(numbered[2]), program.decode(), pid.decode(), msgid, content)


@lru_cache(1024)
def _octets(run: bytes) -> bytes:
    return bytes.fromhex(run.decode("ascii").replace("-", ""))


def _structured(rest: bytes) -> tuple[re.Match[bytes], bytes] | None:
    """Return what numbers a message, and its content."""
    numbered = _NUMBERED.match(rest)
    end = numbered.end() if numbered else 0
    if rest[end : end + 1] != b" ":
        others = _OTHERS.match(rest)
        if others is None or (numbered := _NUMBERED.search(others[1])) is None:
            return None
        end = others.end(1)
    if numbered is None:
        return None
    content = rest[end + 1 :]
    return numbered, content.removeprefix(_MARK)
