"""A session belongs to the browser and the address that it began at: elsewhere its cookie is worth nothing."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from simulators.access.denied import DeniedError
from simulators.events import reasons

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.access.subject import Subject

LONGEST_SESSION = 86400.0
"""Seconds; the web server ends sessions sooner."""
MOST = 10_000
"""Sessions that are remembered."""


class Browsers:
    """Remembers where each session is used from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Remember nothing yet: after a restart a session belongs to whoever uses it next."""
        self._clock = clock
        self._known: dict[str, tuple[str, float]] = {}

    def check(self, subject: Subject) -> None:
        """Let a session go on where it began.

        Raises:
            DeniedError: it is used from elsewhere.
        """
        here = hashlib.sha256(f"{subject.address}\0{subject.browser}".encode("utf-8", "surrogateescape")).hexdigest()
        now = self._clock()
        known = self._known.get(subject.session)
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
            self._known = {session: entry for session, entry in self._known.items() if entry[1] > now}
        while len(self._known) >= MOST:
            del self._known[next(iter(self._known))]
        self._known[subject.session] = (here, now + LONGEST_SESSION)
