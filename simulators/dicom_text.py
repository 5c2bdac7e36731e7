"""Text of HL7 messages as values of DICOM attributes (PS3.5 6.2): nothing in it becomes structure there."""

from __future__ import annotations

import re

LONGEST_NAME = LONGEST_ID = LONGEST_LO = 64
"""Characters of a component group of PN, and of a value of LO."""

LONGEST_SH = 16

_OF_PN = str.maketrans("^=\\\n", "    ")
_OF_LO = str.maketrans({"\\": "/", "\n": " "})
NAME_DELIMITERS = frozenset("^=\\")
"""Characters that end a component of a PN, a group of components, and a value."""
LONGEST_UID = 64
_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")


def is_uid(text: str) -> bool:
    """Tell whether it is a UID (PS3.5 9.1)."""
    return len(text) <= LONGEST_UID and _UID.fullmatch(text) is not None


def lo(text: str, longest: int = LONGEST_LO) -> str:
    r"""Return text as one value of LO or, with `longest`, of SH; what is longer is cut.

    >>> lo("CT head\\\\neck")
    'CT head//neck'
    """
    return text.translate(_OF_LO).strip()[:longest].strip()


def pn(text: str) -> str:
    """Return a name that has no parts as the only component of a PN.

    >>> pn("Weber^Anna=X")
    'Weber Anna X'
    """
    return text.translate(_OF_PN).strip()[:LONGEST_NAME].strip()
