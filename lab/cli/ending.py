"""An order to end (SIGTERM), as CI systems and timeout(1) give it: what a command has made for itself is removed."""

from __future__ import annotations

import signal
import threading
from typing import NoReturn


class TerminatedError(KeyboardInterrupt):
    """Somebody has ordered this process to end; whoever is ready for Ctrl-C is ready for this."""


def take_orders_to_end() -> None:
    """Raise TerminatedError in the main thread from now on when SIGTERM comes, unless it is taken otherwise."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _end)


def _end(*_: object) -> NoReturn:
    raise TerminatedError
