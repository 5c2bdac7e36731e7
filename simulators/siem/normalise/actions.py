"""Which action an audit message tells of: the word that a program of ours gave it, or one by the message's codes."""

from __future__ import annotations

import re

from simulators.audit.codes import (
    APPLICATION_STOP,
    LOGOUT,
    SECURITY_ALERT,
    TYPES,
    USER_AUTHENTICATION,
)
from simulators.audit.table import TABLE
from simulators.audit.told import OF_OTHERS, SSH_LOGIN, SSH_LOGOUT, UNIT_FAIL, UNIT_STOP
from simulators.events.actions import ACTIONS

SYSTEMD, SSHD = "systemd", ("sshd-session", "sshd")
"""Programs of :data:`simulators.audit.told.OF_OTHERS` whose lines become messages that describe no alert."""

DESCRIBED = re.compile(r"(?P<action>[a-z-]+) (?P<outcome>success|refused|failed|waiting)(?:: (?P<reason>[a-z-]+))?")
"""Alert Description as pacslab-audit writes it."""
OUTCOME = re.compile(r"(?P<outcome>success|refused|failed|waiting)(?:: (?P<reason>[a-z-]+))?")
"""EventOutcomeDescription as pacslab-audit writes it."""

BY_EVENT: dict[str, str] = {
    "110100": "start",
    "110101": "use-audit-log",
    "110102": "begin-transfer",
    "110103": "access",
    "110104": "transfer",
    "110105": "delete-study",
    "110106": "export",
    "110107": "import",
    "110108": "network-entry",
    "110109": "order-record",
    "110110": "patient-record",
    "110111": "procedure-record",
    "110112": "query",
    "110114": "sign-in",
}
"""The word for a message of an event (CID 400), where nothing says more."""
BY_TYPE: dict[str, str] = {
    code.value: code.meaning.lower().replace(" ", "-") for code in TYPES.values() if code.value >= "110126"
} | {APPLICATION_STOP.value: "stop", LOGOUT.value: "sign-out"}
"""The word for a message of a type (CID 401), which is told before that of its event."""


def _told_by(action: str) -> tuple[str, ...]:
    if action in {SSH_LOGIN, SSH_LOGOUT}:
        return SSHD
    return ACTIONS[action].programs if action in ACTIONS else (SYSTEMD,)


def _by_origin() -> dict[tuple[str, str, str, str, str], str]:
    """The one action whose rows make messages of these codes for this program and transaction."""
    words: dict[tuple[str, str, str, str, str], set[str]] = {}
    for action, rows in TABLE.items():
        named = ACTIONS[action].transactions if action in ACTIONS else ()
        transactions = named if len(named) == 1 else ("", *named)
        for row in rows:
            for program in row.programs or _told_by(action):
                for transaction in transactions:
                    kind = row.type.value if row.type else ""
                    key = (row.event.value, row.does, kind, program, transaction)
                    words.setdefault(key, set()).add(action)
    return {key: next(iter(actions)) for key, actions in words.items() if len(actions) == 1}


_ORIGIN = _by_origin()


def action_of(event: str, does: str, kinds: list[str], program: str, transaction: str, *, failed: bool) -> str:
    """Return the word for what a message tells of.

    Args:
        event: EventID.
        does: EventActionCode.
        kinds: EventTypeCodes of DICOM.
        program: who tells it, as RFC 5424's APP-NAME or the participating process has it.
        transaction: the EventTypeCode of another code system, such as ``RAD-8``.
        failed: whether it did not succeed.
    """
    kind = kinds[0] if kinds else ""
    if program == SYSTEMD and kind == APPLICATION_STOP.value:
        return UNIT_FAIL if failed else UNIT_STOP
    if word := _ORIGIN.get((event, does, kind, program, transaction)):
        return word
    if event in {SECURITY_ALERT.value, USER_AUTHENTICATION.value, "110100"} and kind in BY_TYPE:
        return BY_TYPE[kind]
    return BY_EVENT.get(event, "security-alert")


WORDS = frozenset(ACTIONS) | frozenset(OF_OTHERS) | frozenset(BY_EVENT.values()) | frozenset(BY_TYPE.values())
"""Every word that ``event.action`` may have for an audit message."""
