"""Where events go: a service's to the journal, a command's to the host's log."""

from __future__ import annotations

import logging
import os
import pwd
import sys
import threading
from contextlib import contextmanager
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.events import actions, reasons
from simulators.events.report import EVENTS, standing, write_event, write_failure

if TYPE_CHECKING:
    from collections.abc import Iterator

SOCKET = Path("/dev/log")


def feeds_journal() -> bool:
    """Tell whether what this process prints stands in the journal, as a service's does (systemd.exec(5))."""
    return "JOURNAL_STREAM" in os.environ


def send_to_journal() -> None:
    """Send events to standard output, which systemd connects with the journal, and nothing else.

    What libraries would write there becomes an event too, and so does an error that ends a thread.
    """
    for former in list(EVENTS.handlers):
        EVENTS.removeHandler(former)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JournalFormatter() if feeds_journal() else logging.Formatter("%(message)s"))
    EVENTS.addHandler(handler)
    EVENTS.setLevel(logging.INFO)
    logging.getLogger().handlers[:] = [_Libraries(logging.WARNING)]
    logging.captureWarnings(capture=True)
    threading.excepthook = _thread_ended


@contextmanager
def host_log(program: str) -> Iterator[None]:
    """Send events to the host's log meanwhile, as `program` and with the user who started it.

    Where nothing listens at /dev/log, as on a developer's machine or in a container without journald, there is no
    host's log to write to; the command works without.
    """
    if not SOCKET.is_socket():
        yield
        return
    handler = _HostLog(str(SOCKET), facility=SysLogHandler.LOG_LOCAL0)
    handler.ident = f"{program}[{os.getpid()}]: "
    EVENTS.addHandler(handler)
    EVENTS.setLevel(logging.INFO)
    try:
        # What a service does, its peers have asked for and not the user that it runs as.
        with standing({} if feeds_journal() else {"user": _user()}):
            yield
    finally:
        EVENTS.removeHandler(handler)
        handler.close()


class _JournalFormatter(logging.Formatter):
    """Prefixes the priority that journald reads (sd-daemon(3))."""

    def format(self, entry: logging.LogRecord) -> str:
        """Return the line, with the priority in front."""
        priority = 3 if entry.levelno >= logging.ERROR else 4 if entry.levelno >= logging.WARNING else 6
        return f"<{priority}>{super().format(entry)}"


class _HostLog(SysLogHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a line was lost, and go on: what the command does must not depend on the log."""
        sys.stderr.write(f"warning: the host's log did not take: {record.getMessage()}\n")


class _Libraries(logging.Handler):
    """Turns what a library logs into an event; its text may quote a patient's data, so only its source is told."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write the event; an event of ours is one already."""
        if record.name == EVENTS.name:
            return
        category = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else record.levelname
        write_event(actions.WARN, reason=reasons.LIBRARY_WARNING, library=record.name, category=category)


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    """Tell of an error that ends a thread; what the thread did is not done any more."""
    if isinstance(ended.exc_value, Exception):
        write_failure(actions.WORK, ended.exc_value, worker=ended.thread.name if ended.thread else None)


def _user() -> str:
    """Who started the command, before it became its service's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
