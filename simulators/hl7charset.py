"""Character sets of HL7 v2 messages (MSH-18, table 0211), as Python knows them."""

from __future__ import annotations

from dataclasses import dataclass


class CharacterSetError(ValueError):
    """A character set that is not in the table, or whose octets are no superset of ASCII's."""


@dataclass(frozen=True)
class CharacterSet:
    """A character set: its ``title`` in table 0211, and Python's ``codec`` for it."""

    title: str
    codec: str


UTF_8 = CharacterSet("UNICODE UTF-8", "utf-8")

_CODECS = {
    UTF_8.title: UTF_8.codec,
    "UNICODE": "utf-8",
    "ASCII": "ascii",
    **{f"8859/{number}": f"iso8859_{number}" for number in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    "ISO IR6": "ascii",
    "ISO IR14": "iso2022_jp_2",
    "ISO IR87": "iso2022_jp_2",
    "ISO IR159": "iso2022_jp_2",
    "GB 18030-2000": "gb18030",
    "KS X 1001": "euc_kr",
    "CNS 11643-1992": "big5",
    "BIG-5": "big5",
}
"""UTF-16 and UTF-32 are not among them: a frame of MLLP could not be found in their octets."""


def named(title: str) -> CharacterSet:
    """Return a character set by its name; a message that names none is taken as UTF-8, of which ASCII is a part.

    >>> named("8859/1").codec
    'iso8859_1'

    Raises:
        CharacterSetError: it is not understood.
    """
    if not title:
        return UTF_8
    if title not in _CODECS:
        raise CharacterSetError(title)
    return CharacterSet(title, _CODECS[title])
