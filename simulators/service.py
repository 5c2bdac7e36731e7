"""What a simulator that serves owes its host: readiness for systemd, and one line a happening in the journal."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import sys
import threading

JOURNAL = logging.getLogger("pacslab")
JOURNAL.addHandler(logging.NullHandler())  # a command that does not serve has no journal

_PLAIN = re.compile(r"[A-Za-z0-9_.:/^+@-]+")


def line(happening: str, **facts: object) -> str:
    r"""Return one log line, ``happening key=value …``.

    Values with anything but plain characters are quoted and their control characters escaped, so that a
    peer cannot write lines of its own.

    >>> line("refused", reason="duplicate", control_id="A 1\\n")
    'refused reason=duplicate control_id="A 1\\\\n"'
    """
    return f"{happening} {pairs(**facts)}".rstrip()


def pairs(**facts: object) -> str:
    """Return ``key=value …`` for facts that are not None."""
    return " ".join(f"{key}={_value(value)}" for key, value in facts.items() if value is not None)


def _value(value: object) -> str:
    text = str(value)
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.encode("unicode_escape").decode("ascii").replace('"', r"\x22")
    return f'"{escaped}"'


def record(happening: str, **facts: object) -> None:
    """Write what happened to the journal."""
    JOURNAL.info(line(happening, **facts))


def refuse(**facts: object) -> None:
    """Write to the journal that something was refused: ``refused reason=… peer=…``."""
    JOURNAL.warning(line("refused", **facts))


class _JournalFormatter(logging.Formatter):
    """Prefixes the priority that journald reads (sd-daemon(3)), when journald is listening."""

    def format(self, entry: logging.LogRecord) -> str:
        """Return the line, with the priority in front."""
        priority = 3 if entry.levelno >= logging.ERROR else 4 if entry.levelno >= logging.WARNING else 6
        text = super().format(entry)
        return "\n".join(f"<{priority}>{part}" for part in text.splitlines())


def log_to_journal() -> None:
    """Send records to standard output, which systemd connects with the journal, and nowhere else."""
    for former in list(JOURNAL.handlers):
        JOURNAL.removeHandler(former)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(_JournalFormatter() if "JOURNAL_STREAM" in os.environ else logging.Formatter("%(message)s"))
    JOURNAL.addHandler(handler)
    JOURNAL.setLevel(logging.INFO)


def notify(state: str) -> None:
    """Tell systemd, if it waits for it: ``READY=1``, ``STOPPING=1`` (sd_notify(3))."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
        channel.sendall(state.encode())


def wait_for_stop() -> None:
    """Block until SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
