"""Text that came from elsewhere: what of it hides something, and how it is shown so that nothing acts on it."""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that steer a terminal, change the direction of what follows, or are not seen at all."""

_OF_SCRIPTS = frozenset("\u00ad\u061c\u200c\u200d\u200e\u200f")
"""Format characters that texts in some scripts need: soft hyphen, direction marks, joiners."""

_OF_NAMES = frozenset("\u200c\u200d")
"""Those of them without which some names cannot be written: joiners."""


def printable(text: str) -> str:
    r"""Return text that a terminal shows as it is: control and format characters become escapes.

    >>> printable("A1\n\x1b[2J")
    'A1\\n\\x1b[2J'
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def hides(text: str, *, name: bool = False) -> bool:
    r"""Tell whether text has a character that hides something: C0 and C1 controls, direction overrides, noncharacters.

    Args:
        text: what came from elsewhere.
        name: it identifies somebody or something, and so may not contain marks of direction either.

    >>> hides("Anna"), hides("An\u202ena"), hides("An\x85na")
    (False, True, True)
    """
    if text.isprintable():
        return False
    allowed = _OF_NAMES if name else _OF_SCRIPTS
    return any(
        character not in allowed and (unicodedata.category(character) in _HIDDEN or _is_noncharacter(character))
        for character in text
    )


def _is_noncharacter(character: str) -> bool:
    code = ord(character)
    return code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF  # noqa: PLR2004 - Unicode 23.7
