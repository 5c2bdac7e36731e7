"""What a receiver remembers of the messages it took: a repetition is told from another message with the same number."""

from __future__ import annotations

import hashlib
import re
from enum import Enum

REMEMBERED_DAYS = 30
"""How long a sender's control id (MSH-10) is remembered: longer than any sender goes on repeating a message."""

_TIME_OF_MESSAGE = re.compile(r"\A((?:[^|]*\|){6})[^|]*")
"""MSH-7: some senders write the time of the repetition into it."""


class Acceptance(Enum):
    """What became of a message that may be accepted."""

    NEW = "new"
    REPEATED = "repeated"
    """It came before with the same content: it is answered as then, and has no second effect."""
    OTHER_CONTENT = "other content"
    """Its control id came before from this sender, with another content."""


def content_of(text: str) -> str:
    """Return a digest of what a message says, without when it was sent (MSH-7)."""
    return hashlib.sha256(_TIME_OF_MESSAGE.sub(r"\1", text).encode()).hexdigest()
