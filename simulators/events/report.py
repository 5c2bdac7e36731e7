"""How a program writes an event: at its end, around what it does, or because of an error."""

from __future__ import annotations

import logging
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from simulators.errors import (
    ArgumentError,
    AssociationRejectedError,
    BusyError,
    NoAnswerError,
    NotFoundError,
    NotReadyError,
    RefusedError,
    SimulatorError,
    TlsRefusedError,
    UnreachableError,
    UnsafeObjectError,
)
from simulators.events import reasons
from simulators.events.line import event_of, text_of
from simulators.events.vocabulary import Outcome, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulators.events.vocabulary import Action, Facts

EVENTS = logging.getLogger("pacslab.events")
EVENTS.addHandler(logging.NullHandler())  # a command on a machine without a host's log writes nowhere

DEEPEST = 12
"""Calls of a trace that are told, the last ones."""

CAUSES: dict[type[BaseException], Reason] = {
    RefusedError: reasons.REFUSED_BY_PEER,
    BusyError: reasons.SEND_AGAIN,
    AssociationRejectedError: reasons.ASSOCIATION_REJECTED,
    TlsRefusedError: reasons.TLS_REFUSED,
    UnsafeObjectError: reasons.UNSAFE_OBJECT,
    NotFoundError: reasons.NOT_FOUND,
    ArgumentError: reasons.ARGUMENT,
    UnreachableError: reasons.UNREACHABLE,
    NoAnswerError: reasons.NO_ANSWER,
    NotReadyError: reasons.NOT_READY,
}
"""The word for an error in an event; that of the nearest class above it counts."""

_standing: Facts = {}


def write_event(
    action: Action,
    *,
    reason: Reason | None = None,
    waiting: bool = False,
    transaction: str | None = None,
    **facts: object,
) -> None:
    """Write that something was done, or with a reason that it was not; facts that are None or empty are left out.

    Args:
        action: of :mod:`simulators.events.actions`.
        reason: of :mod:`simulators.events.reasons`; it says whether the outcome is ``refused`` or ``failed``.
        waiting: what could not be done is kept and tried again; a refusal stays one, even if it is asked again.
        transaction: which of the action's transactions; needed where it has several.
        facts: the other keys.

    What the action does not declare is not written; the line says that it was left out.
    """
    outcome = Outcome.SUCCESS if reason is None else reason.outcome
    if waiting and outcome is Outcome.FAILED:
        outcome = Outcome.WAITING
    event = event_of(action, outcome, reason, _standing | facts | {"transaction": transaction})
    EVENTS.log(_level(outcome, reason), "%s", text_of(event), extra={"event": event})


@contextmanager
def performing(action: Action, *, transaction: str | None = None, **facts: object) -> Iterator[Facts]:
    """Write one event about what the block does, however it ends; the block may add facts to what it is given."""
    known: Facts = dict(facts)
    try:
        yield known
    except Exception as error:
        write_failure(action, error, transaction=transaction, **known)
        raise
    write_event(action, transaction=transaction, **known)


def write_failure(
    action: Action, error: Exception, *, transaction: str | None = None, waiting: bool = False, **facts: object
) -> None:
    """Write that an error ended something, unless an event tells that error already."""
    if isinstance(error, SimulatorError):
        if error.noted:
            return
        error.noted = True
    reason = reason_of(error)
    told: Facts = {"error": type(error).__name__}
    if reason is reasons.INTERNAL_ERROR:
        told["trace"] = trace_of(error)
    if isinstance(error, NotReadyError):  # it is about this host, so its text quotes no peer
        told |= {"detail": error.message, "remedy": error.remedy}
    told = {name: fact for name, fact in told.items() if name in action.facts}
    write_event(action, reason=reason, waiting=waiting, transaction=transaction, **(told | facts))


def reason_of(error: Exception) -> Reason:
    """The reason that an error carries, or that of its class; one that nobody foresaw is internal."""
    carried = getattr(error, "reason", None)
    if isinstance(carried, Reason):
        return carried
    return next((CAUSES[kind] for kind in type(error).__mro__ if kind in CAUSES), reasons.INTERNAL_ERROR)


def trace_of(error: BaseException) -> list[str]:
    """Where in the program an error arose, without the values that its text may quote."""
    calls = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    return [f"{_place(call.filename)}:{call.lineno} {call.name}" for call in calls]


@contextmanager
def standing(facts: Mapping[str, object]) -> Iterator[None]:
    """Meanwhile every event of this process has these facts too, such as the user who started it."""
    _standing.update(facts)
    try:
        yield
    finally:
        for name in facts:
            _standing.pop(name, None)


def _level(outcome: Outcome, reason: Reason | None) -> int:
    if outcome is Outcome.SUCCESS:
        return logging.INFO
    return logging.ERROR if reason is reasons.INTERNAL_ERROR else logging.WARNING


def _place(filename: str) -> str:
    """A file by its last two names, which tell a module of ours from one of a library."""
    return "/".join(Path(filename).parts[-2:])
