"""Text that came from hosts, shown so that nothing in it acts on the reader's terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return text of any number of lines with escapes for what a terminal would not show as it is.

    >>> printable("ct1\tA\x1b[2J\x9b\u202e")
    'ct1\tA\\x1b[2J\\x9b\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character in "\n\t" or character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
