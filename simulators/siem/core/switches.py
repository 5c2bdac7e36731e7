"""Rules that are switched off for a while, as an exercise asks for it: files in a folder that root alone may write.

A rule is never switched off for longer than :data:`LONGEST`, whatever becomes of who switched it off. A file counts
when root owns it and nobody else may write it, so that no account of a service can take a rule out of the judge.
"""

from __future__ import annotations

import json
import os
import stat
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "/run/pacslab-siem-switches"
FOLDER_VARIABLE = "PACSLAB_SIEM_SWITCHES"
LONGEST = 600.0
"""Seconds for which a rule may be switched off at a time."""
LOOK = 0.25
"""Seconds between two looks at the folder."""
SHOWN = "switched-off"
"""File of the core's runtime folder: the rules that are switched off, one a line."""
MOST_OCTETS = 2_000
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Switch:
    """A rule that is switched off.

    Attributes:
        rule: name of the rule's file, without its ending.
        until: when it is on again, seconds since 1970.
        by: who switched it off.
        why: as they said.
    """

    rule: str
    until: float
    by: str
    why: str


class Switches:
    """What stands in the folder."""

    def __init__(self, folder: Path, owner: int = 0) -> None:
        """Read a folder; files of another account than `owner` do not count."""
        self._folder, self._owner = folder, owner

    def off(self, now: float) -> dict[str, Switch]:
        """Return the rules that are switched off at a time (seconds since 1970), by their names."""
        try:
            status = self._folder.stat()
            paths = sorted(self._folder.iterdir())
        except OSError:
            return {}
        if not self._trusted(status):
            return {}
        found = [switch for path in paths if (switch := self._read(path)) is not None]
        return {switch.rule: switch for switch in found if now < switch.until <= now + LONGEST}

    def put(self, switch: Switch) -> None:
        """Switch a rule off.

        Raises:
            OSError: the folder cannot be written.
        """
        self._folder.mkdir(mode=0o755, exist_ok=True)
        draft = self._folder / f".{switch.rule}"
        draft.write_text(json.dumps(asdict(switch)), "utf-8")
        draft.chmod(0o644)
        draft.replace(self._folder / switch.rule)

    def remove(self, rule: str) -> None:
        """Switch a rule on again; one that is on stays so.

        Raises:
            OSError: the folder cannot be written.
        """
        (self._folder / rule).unlink(missing_ok=True)

    def _trusted(self, status: os.stat_result) -> bool:
        return status.st_uid == self._owner and not status.st_mode & _OTHERS_WRITE

    def _read(self, path: Path) -> Switch | None:
        """Read a file; None where it is not of the form, or not root's."""
        if path.name.startswith("."):
            return None
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode) or not self._trusted(status):
                return None
            return _switch(path.name, file.read(MOST_OCTETS))


def _switch(rule: str, text: bytes) -> Switch | None:
    try:
        given: dict[str, Any] = json.loads(text)
        return Switch(rule, float(given["until"]), str(given["by"]), str(given["why"]))
    except (ValueError, KeyError, TypeError):
        return None
