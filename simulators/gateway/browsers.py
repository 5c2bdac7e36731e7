"""A session belongs to the browser and the address that it began at: elsewhere its cookie is worth nothing.

Where each session began is kept in a file, so that it stays so when the gateway starts again: a line of JSON for each,
with digests alone.
"""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.errors import NotReadyError
from simulators.events import reasons

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from simulators.access.subject import Subject

LONGEST_SESSION = 86400.0
"""Seconds; the web server ends sessions sooner."""
MOST = 10_000
"""Sessions that are remembered."""

Known = dict[str, tuple[str, float]]
"""Of each session by its digest: the digest of where it began, and until when that counts (seconds since 1970)."""


class Browsers:
    """Remembers where each session is used from."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Remember what is kept in a file.

        Raises:
            NotReadyError: it can be neither read nor written.
        """
        self._path, self._clock = path, clock
        self._known = self._read()
        self._rewrite()

    def check(self, subject: Subject) -> None:
        """Let a session go on where it began.

        Raises:
            DeniedError: it is used from elsewhere.
            NotReadyError: where a new one begins cannot be kept.
        """
        here, session = _digest(f"{subject.address}\0{subject.browser}"), _digest(subject.session)
        now = self._clock()
        known = self._known.get(session)
        if known is not None and known[1] > now:
            if known[0] != here:
                raise DeniedError(
                    "This session began in another browser, or at another address.",
                    remedy="Sign in here.",
                    reason=reasons.OTHER_BROWSER,
                    status=401,
                )
            return
        if len(self._known) >= MOST:
            self._known = {name: entry for name, entry in self._known.items() if entry[1] > now}
            while len(self._known) >= MOST:
                del self._known[next(iter(self._known))]
            self._rewrite()
        self._append(session, here, now + LONGEST_SESSION)
        self._known[session] = (here, now + LONGEST_SESSION)

    def _read(self) -> Known:
        try:
            lines = self._path.read_text("utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise self._unusable(error) from error
        now, known = self._clock(), {}
        for line in lines:
            try:
                session, here, until = json.loads(line)
                if float(until) > now:
                    known[str(session)] = (str(here), float(until))
            except (ValueError, TypeError):
                continue  # one that was being written when the gateway ended
        return known

    def _rewrite(self) -> None:
        draft = self._path.with_suffix(".new")
        try:
            draft.write_text("".join(_line(session, *entry) for session, entry in self._known.items()), "utf-8")
            draft.replace(self._path)
        except OSError as error:
            raise self._unusable(error) from error

    def _append(self, session: str, here: str, until: float) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line(session, here, until))
        except OSError as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> NotReadyError:
        why = getattr(error, "strerror", None) or type(error).__name__
        return NotReadyError(f"{self._path} cannot be used, where sessions are kept: {why}", remedy="Look at its disk.")


def _line(session: str, here: str, until: float) -> str:
    return json.dumps([session, here, until]) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
