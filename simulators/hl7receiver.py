"""The gate that every HL7 message passes: who sent it, may they, is it well formed, is it new."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from simulators.events import reasons
from simulators.events.actions import RECEIVE
from simulators.events.report import reason_of, write_event, write_failure
from simulators.hl7memory import Acceptance
from simulators.hl7messages import (
    CONTROL_ID,
    VERSIONS,
    MalformedError,
    Message,
    Party,
    Problem,
    acknowledgement,
    parse,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulators.events.vocabulary import Facts, Reason
    from simulators.proxy_protocol import Sender
    from simulators.settings import Caller, Settings

_ORDER = "ORC (TQ1 )*OBR (OBX )*"
_PATIENT = "MSH PID (PV1 )?"
_EVENT = "MSH EVN PID PV1 (OBX )*"

SHAPES: dict[str, str] = {
    "ADT^A01": _EVENT,
    "ADT^A03": _EVENT,
    "ADT^A04": _EVENT,
    "ADT^A05": _EVENT,
    "ADT^A08": "MSH EVN PID (PV1 )?(OBX )*",
    "ADT^A11": _EVENT,
    "ADT^A40": "MSH EVN (PID MRG (PV1 )?)+",
    "ORM^O01": f"{_PATIENT}({_ORDER}(ZDS )?)+",
    "OMG^O19": f"{_PATIENT}({_ORDER})+",
    "OMI^O23": f"{_PATIENT}({_ORDER}(IPC )+)+",
    "ORU^R01": f"{_PATIENT}((ORC )?OBR (OBX )+)+(ZDS )?",
}
"""Segments of each message that mean something here, in order; others may stand anywhere and are kept unread.

A segment that means something has no place but its own, so that one smuggled in through a field makes the message
another one. Each is a pattern over the segments' names, every name with a blank behind it.
"""

MEANINGFUL = frozenset(re.findall(r"[A-Z][A-Z0-9]{2}", " ".join(SHAPES.values()))) | {
    "MSA", "ERR", "QAK", "QPD", "QRD", "DSC", "BHS", "BTS", "FHS", "FTS",
}  # fmt: skip
"""Names of segments that a message may have only where its shape says so: answers, queries and batches, too."""


class HL7ProblemError(Exception):
    """A message is not accepted; carries the :class:`Problem` and the reason for the log."""

    def __init__(
        self, reason: Reason, code: int, text: str, *, location: tuple[str, ...] = (), acknowledgement: str = "AE"
    ) -> None:
        """Say why: `reason` for the log, `code` of table 0357, `text` for the sender."""
        super().__init__(text)
        self.reason = reason
        self.problem = Problem(acknowledgement, code, text, location)


class Inbox(Protocol):
    """Keeps what was received and lets each message have its effect once."""

    def accept(self, sender: str, message: Message) -> Acceptance:
        """Take the message and do what it asks, both or neither, unless its control id came before.

        Raises:
            HL7ProblemError: what it asks cannot be done.
        """


@dataclass(frozen=True)
class Receiver:
    """Answers the messages of a listener; see :class:`simulators.mllp.Listener`.

    Attributes:
        settings: says who may send what (the flows' ``permits``).
        inboxes: for each message type that this application takes, who deals with it.
    """

    settings: Settings
    inboxes: Mapping[str, Inbox]

    def answer(self, data: bytes, sender: Sender) -> list[bytes]:
        """Return the acknowledgements: AA, AE (its content cannot be accepted) or AR (it is not accepted at all).

        In enhanced mode (MSH-15 or MSH-16 is valued) there may be none, one or two of them.
        """
        own = Party.of(self.settings.host.name, self.settings.site.name)
        message: Message | None = None
        caller: Caller | None = None
        problem: Problem | None = None
        failure: Exception | None = None
        repeated = False
        try:
            caller = self._caller(sender)
            message = parse(data)
            self._check_header(message, caller)
            repeated = self._take(message, caller)
        except HL7ProblemError as error:
            failure, problem = error, error.problem
        except MalformedError as error:
            failure, problem = error, Problem("AR", 102, str(error))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here, the sender gets an answer and the service goes on
            failure, problem = error, Problem("AE", 207, "the message could not be processed; send it again")
        facts: Facts = {
            "certificate": sender.name,
            "peer": caller.name if caller else sender.address,
            "octets": len(data),
            "repeated": repeated or None,
        }
        _write(message, failure, problem, facts)
        return [acknowledgement(message, own, problem, accept=accept) for accept in _levels(message, problem)]

    def _take(self, message: Message, caller: Caller) -> bool:
        """Let the message have its effect; return whether it is a repetition, which has none."""
        acceptance = self.inboxes[message.type].accept(caller.name, message)
        if acceptance is Acceptance.OTHER_CONTENT:
            raise HL7ProblemError(
                reasons.DUPLICATE_CONTROL_ID, 205, f"another message {message.control_id} was received before",
                location=("MSH", "1", "10"), acknowledgement="AR",
            )  # fmt: skip
        return acceptance is Acceptance.REPEATED

    def _caller(self, sender: Sender) -> Caller:
        for caller in self.settings.find_callers("hl7-tls"):
            if sender.name == caller.fqdn:
                return caller
        raise HL7ProblemError(reasons.UNLISTED_SENDER, 207, "the sender is not known here", acknowledgement="AR")

    def _check_header(self, message: Message, caller: Caller) -> None:
        own = Party.of(self.settings.host.name, self.settings.site.name)
        theirs = Party.of(caller.name, self.settings.site.name)
        if Party(message.get("MSH", 3), message.get("MSH", 4)) != theirs:
            raise HL7ProblemError(
                reasons.SENDER_MISMATCH, 207, "MSH-3 and MSH-4 are not the certificate's",
                location=("MSH", "1", "3"), acknowledgement="AR",
            )  # fmt: skip
        if Party(message.get("MSH", 5), message.get("MSH", 6)) != own:
            raise HL7ProblemError(
                reasons.WRONG_RECEIVER, 103, f"MSH-5 and MSH-6 are not {own.application} of {own.facility}",
                location=("MSH", "1", "5"), acknowledgement="AR",
            )  # fmt: skip
        if message.get("MSH", 12) not in VERSIONS:
            raise HL7ProblemError(
                reasons.VERSION, 203, "MSH-12 is none of 2.3 to 2.8", location=("MSH", "1", "12"), acknowledgement="AR"
            )
        processing = self.settings.hl7.processing_ids
        if message.get("MSH", 11) not in processing:
            raise HL7ProblemError(
                reasons.PROCESSING_ID, 202, f"MSH-11 is not {' or '.join(processing)}",
                location=("MSH", "1", "11"), acknowledgement="AR",
            )  # fmt: skip
        if not CONTROL_ID.fullmatch(message.control_id):
            raise HL7ProblemError(
                reasons.CONTROL_ID,
                101,
                "MSH-10 is missing or too long",
                location=("MSH", "1", "10"),
                acknowledgement="AR",
            )
        if message.type not in caller.permits:
            raise HL7ProblemError(
                reasons.NOT_PERMITTED, 200, f"{caller.name} may not send {message.type}",
                location=("MSH", "1", "9"), acknowledgement="AR",
            )  # fmt: skip
        if message.type not in self.inboxes:
            raise HL7ProblemError(
                reasons.MESSAGE_TYPE,
                200,
                f"{message.type} is not taken",
                location=("MSH", "1", "9"),
                acknowledgement="AR",
            )
        if not follows(message.names, SHAPES[message.type]):
            raise HL7ProblemError(
                reasons.SEGMENTS,
                100,
                f"segments {' '.join(message.names)} do not make {message.type}",
                acknowledgement="AR",
            )


def follows(names: list[str], shape: str) -> bool:
    """Tell whether segments stand as a shape of :data:`SHAPES` wants them, whatever else there is between.

    >>> follows(["MSH", "EVN", "PID", "PD1", "NK1", "PV1"], SHAPES["ADT^A04"])
    True
    >>> follows(["MSH", "EVN", "PID", "PID", "PV1"], SHAPES["ADT^A04"])
    False
    """
    return re.fullmatch(shape, "".join(f"{name} " for name in names if name in MEANINGFUL)) is not None


def _write(message: Message | None, failure: Exception | None, problem: Problem | None, facts: Facts) -> None:
    """Tell what came of a message; of one that cannot be read its control id and type may be unknown."""
    kind, control_id = _said(message, lambda read: read.type), _said(message, lambda read: read.control_id)
    known: Facts = {**facts, "message_type": kind, "control_id": control_id}
    transaction = kind if kind in RECEIVE.transactions else None
    if failure is None or problem is None:
        # Of what was refused nobody knows whether it is an identifier.
        write_event(RECEIVE, transaction=transaction, patient=_said(message, lambda read: read.get("PID", 3)), **known)
        return
    known |= {"code": problem.code, "field": "-".join(part for part in problem.location[::2])}
    if reason_of(failure) is reasons.INTERNAL_ERROR:
        write_failure(RECEIVE, failure, transaction=transaction, **known)
    else:
        write_event(RECEIVE, reason=reason_of(failure), transaction=transaction, **known)


def _levels(message: Message | None, problem: Problem | None) -> list[bool]:
    """Return which acknowledgements a sender wants: True for one of the arrival, False for one of the application.

    MSH-15 and MSH-16 say when each is wanted (table 0155: AL always, NE never, ER when there is an error, SU when there
    is none). Where both are empty it is the original mode: one acknowledgement, of the application.
    """
    wanted = [
        _said(message, lambda read: read.get("MSH", 15)) or "",
        _said(message, lambda read: read.get("MSH", 16)) or "",
    ]
    if not any(wanted):
        return [False]
    when = {"AL": True, "NE": False, "ER": problem is not None, "SU": problem is None, "": False}
    return [accept for accept, value in zip((True, False), wanted, strict=True) if when.get(value, True)]


def _said(message: Message | None, part: Callable[[Message], str]) -> str | None:
    """Return a part of a message that was read, or None when its escape sequences are wrong."""
    try:
        return None if message is None else part(message)
    except MalformedError:
        return None
