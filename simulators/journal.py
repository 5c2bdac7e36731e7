"""The trail of transactions: one line each, in a service's journal and, from a command, in the host's log.

Lines hold accession numbers, UIDs and identifiers, and never a name: who may read a log need not be who may know the
patient (PS3.15 A.5 does likewise). An error is told by its class, because its text may quote what a peer has said.
"""

from __future__ import annotations

import logging
import os
import pwd
import sys
from contextlib import contextmanager
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.errors import RefusedError, SimulatorError
from simulators.service import JOURNAL, pairs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SOCKET = Path("/dev/log")
SUCCESS, REFUSED, FAILED, WAITING = "success", "refused", "failed", "waiting"
"""Outcomes: done; the peer said no; it could not be done; it is kept and tried again."""


def note(transaction: str | None, action: str, *, outcome: str = SUCCESS, **facts: object) -> None:
    """Write ``transaction=RAD-8 action=stored … outcome=success``; facts that are None are left out."""
    _write(transaction, action, outcome, facts)


@contextmanager
def transaction(name: str, action: str, **facts: object) -> Iterator[dict[str, object]]:
    """Write one line about what the block does, however it ends; the block may add facts to what it is given."""
    known = dict(facts)
    try:
        yield known
    except Exception as error:
        _write(name, action, outcome_of(error), {**known, "error": type(error).__name__})
        if isinstance(error, SimulatorError):
            error.noted = True
        raise
    _write(name, action, SUCCESS, known)


def note_failure(action: str, error: SimulatorError, **facts: object) -> None:
    """Write that a command ended with an error, unless a transaction's line has said so."""
    if not error.noted:
        note(None, action, **facts, outcome=outcome_of(error), error=type(error).__name__)


def _write(transaction: str | None, action: str, outcome: str, facts: Mapping[str, object]) -> None:
    level = logging.INFO if outcome == SUCCESS else logging.WARNING
    JOURNAL.log(level, pairs(transaction=transaction, action=action, **facts, outcome=outcome))


def outcome_of(error: Exception) -> str:
    """Refused, when the peer said no; failed otherwise."""
    return REFUSED if isinstance(error, RefusedError) else FAILED


@contextmanager
def host_log(program: str) -> Iterator[None]:
    """Send lines to the host's log meanwhile, as `program` and with the user who started it.

    Where nothing listens at /dev/log, as on a developer's machine or in a container without journald, there is no
    host's log to write to; the command works without.
    """
    if not SOCKET.is_socket():
        yield
        return
    handler = _HostLog(str(SOCKET), facility=SysLogHandler.LOG_LOCAL0)
    handler.ident = f"{program}[{os.getpid()}]: "
    handler.setFormatter(logging.Formatter("%(message)s %(who)s", defaults={"who": pairs(user=_user())}))
    JOURNAL.addHandler(handler)
    JOURNAL.setLevel(logging.INFO)
    try:
        yield
    finally:
        JOURNAL.removeHandler(handler)
        handler.close()


class _HostLog(SysLogHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say that a line was lost, and go on: what the command does must not depend on the log."""
        sys.stderr.write(f"warning: the host's log did not take: {record.getMessage()}\n")


def _user() -> str:
    """Who started the command, before it became its service's user."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
