"""Which event becomes which audit message, one row a kind of event; and which actions are no security audit, and why.

Read from top to bottom: the first row of an action that fits an event makes its message. docs/audit.md prints both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from simulators.audit import codes, told
from simulators.events import actions, reasons
from simulators.events.actions import EDGE, RIS
from simulators.events.vocabulary import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from simulators.audit.codes import Code
    from simulators.audit.told import Told


class Who(Enum):
    """How an event's participants stand to each other (PS3.15 A.5.3, "Active Participant")."""

    USERS = "the person or account, or who asked instead, and the process that did it"
    OUT = "the process, as source; the peer, as destination; the person"
    IN = "the peer, as source; the process, as destination; the person"
    FETCHES = "the peer, as source; the process, as destination, which asked; the person"
    GIVES = "the process, as source; the peer, as destination, which asked; the person"
    ALERT = "the process that tells; the person, account and peer that it is about"
    SIGNS = "the person, with where they are; the process that they sign in at"
    APPLICATION = "the application; systemd, as its launcher"
    NODE = "the peer"
    IMPORTS = "the process, as destination; a file, as source media"


class About(Enum):
    """What an event is about (PS3.15 A.5.3, "Participating Object")."""

    STUDY = "study"
    STUDY_IF_KNOWN = "study, where it is known"
    PATIENT = "patient"
    PATIENT_IF_KNOWN = "patient, where it is known"
    PRIOR = "the patient identifier that is no more"
    QUERY = "query"
    SUBJECT = "subject of the alert"
    LOG = "the repository of audit messages"


STUDIES = (About.STUDY, About.PATIENT)
RECORD = (About.PATIENT, About.STUDY_IF_KNOWN)
ASKED = (About.QUERY, About.PATIENT_IF_KNOWN)
ALERT = (About.SUBJECT, About.PATIENT_IF_KNOWN)
LOG = (About.LOG, About.PATIENT_IF_KNOWN, About.STUDY_IF_KNOWN)
SUCCESS, REFUSED, FAILED, WAITING = Outcome

FIRST = "first"
"""Key of a row for a caller that this host meets for the first time."""


@dataclass(frozen=True)
class Row:
    """An audit message, and the events that become it.

    Attributes:
        action: of :mod:`simulators.events.actions`, or of :data:`simulators.audit.told.OF_OTHERS`.
        event: EventID.
        does: EventActionCode.
        who: the participants.
        type: EventTypeCode, beside the transaction.
        about: the objects.
        programs: who told it; any that the action declares where it is empty.
        outcomes: how it ended; anyhow where it is empty.
        values: keys of the event with the values that they may have; a key with none is there at all.
        beside: it is made as well as the message of a later row.
        once: seconds in which the same is told once: of the same study, by the same caller.
    """

    action: str
    event: Code
    does: str
    who: Who
    type: Code | None = None
    about: tuple[About, ...] = ()
    programs: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    beside: bool = False
    once: float = 0.0

    def fits(self, event: Told) -> bool:
        """Whether an event of this row's action becomes this row's message."""
        if self.programs and event.program not in self.programs:
            return False
        if self.outcomes and event.outcome not in self.outcomes:
            return False
        return all(
            event.text(key) in values if values else event.text(key) != "" for key, values in self.values.items()
        )


def _alert(action: str, kind: Code, **more: object) -> Row:
    return Row(action, codes.SECURITY_ALERT, "E", Who.ALERT, kind, ALERT, **more)  # type: ignore[arg-type]


def _any(*words: str) -> frozenset[str]:
    return frozenset(words)


RULES = (REFUSED,)
IDENTITY = _any(
    *(reason.word for reason in (reasons.UNLISTED_SENDER, reasons.SENDER_MISMATCH, reasons.WRONG_RECEIVER)),
)
PATIENT_MESSAGES = _any(*(kind for kind in actions.MESSAGE_TYPES if kind.startswith("ADT")))
RESULTS = _any("ORU^R01")

_ROWS = (
    # Connections: who may not come in, and who comes in for the first time
    _alert("connect", codes.NODE_AUTHENTICATION, programs=(EDGE, *actions.HL7_SERVICES), outcomes=RULES),
    _alert("associate", codes.NODE_AUTHENTICATION, outcomes=RULES),
    _alert(
        "request", codes.NODE_AUTHENTICATION, programs=(EDGE,), outcomes=RULES, values={"certificate": frozenset()}
    ),
    _alert("request", codes.USE_OF_RESTRICTED_FUNCTION, outcomes=RULES),
    *(
        Row(
            action, codes.NETWORK_ENTRY, "E", Who.NODE, codes.ATTACH, programs=(EDGE,), outcomes=(SUCCESS,),
            values={FIRST: frozenset()}, beside=True,
        )
        for action in ("connect", "associate", "request")
    ),
    _alert("end-connection", codes.NODE_AUTHENTICATION),
    _alert("echo", codes.USE_OF_RESTRICTED_FUNCTION, outcomes=RULES),
    # Images over the web, at the edge of the archive
    Row(
        "request", codes.QUERY, "E", Who.IN, None, ASKED, (EDGE,), (SUCCESS,),
        {"transaction": _any("QIDO-RS"), "edge": _any("dicomweb")},
    ),
    Row(
        "request", codes.INSTANCES_TRANSFERRED, "R", Who.GIVES, None, STUDIES, (EDGE,), (SUCCESS,),
        {"transaction": _any("WADO-RS"), "edge": _any("dicomweb"), "study": frozenset()}, once=300,
    ),
    # People at the viewer
    Row("person-searches", codes.QUERY, "E", Who.OUT, None, ASKED),
    Row("person-views", codes.INSTANCES_ACCESSED, "R", Who.USERS, None, STUDIES, values={"study": frozenset()}),
    _alert("person-views", codes.USE_OF_RESTRICTED_FUNCTION),
    Row("person-adds", codes.INSTANCES_ACCESSED, "C", Who.USERS, None, STUDIES, values={"study": frozenset()}),
    _alert("person-adds", codes.USE_OF_RESTRICTED_FUNCTION),
    _alert("person-breaks-glass", codes.EMERGENCY_OVERRIDE_STARTED),
    _alert("emergency-ends", codes.EMERGENCY_OVERRIDE_STOPPED),
    _alert("use-session", codes.USE_OF_RESTRICTED_FUNCTION),
    # People at the repository's console
    _alert("read-audit", codes.USE_OF_RESTRICTED_FUNCTION, outcomes=(REFUSED, FAILED)),
    Row("read-audit", codes.AUDIT_LOG_USED, "R", Who.USERS, None, LOG),
    _alert("handle-incident", codes.USE_OF_RESTRICTED_FUNCTION),
    # Patients, orders, procedures, reports
    _alert("receive", codes.NODE_AUTHENTICATION, outcomes=RULES, values={"reason": IDENTITY}),
    Row("receive", codes.PATIENT_RECORD, "U", Who.USERS, None, RECORD, values={"message_type": PATIENT_MESSAGES}),
    Row("receive", codes.PROCEDURE_RECORD, "U", Who.USERS, None, RECORD, values={"message_type": RESULTS}),
    Row("receive", codes.ORDER_RECORD, "U", Who.USERS, None, RECORD, values={"message_type": frozenset()}),
    _alert("receive", codes.USE_OF_RESTRICTED_FUNCTION, outcomes=RULES),
    Row("register", codes.PATIENT_RECORD, "C", Who.USERS, None, RECORD),
    Row("update-patient", codes.PATIENT_RECORD, "U", Who.USERS, None, RECORD),
    Row(
        "merge-patients", codes.PATIENT_RECORD, "D", Who.USERS, None, (About.PRIOR,), values={"prior": frozenset()},
        beside=True,
    ),
    Row("merge-patients", codes.PATIENT_RECORD, "U", Who.USERS, None, RECORD),
    Row("admit", codes.PATIENT_RECORD, "U", Who.USERS, None, RECORD),
    Row("discharge", codes.PATIENT_RECORD, "U", Who.USERS, None, RECORD),
    Row("order", codes.ORDER_RECORD, "C", Who.USERS, None, RECORD),
    Row("change-order", codes.ORDER_RECORD, "U", Who.USERS, None, RECORD),
    Row("cancel", codes.ORDER_RECORD, "U", Who.USERS, None, RECORD),
    Row("order-status", codes.ORDER_RECORD, "U", Who.USERS, None, RECORD),
    Row("schedule", codes.PROCEDURE_RECORD, "C", Who.USERS, None, STUDIES, values={"transaction": _any("RAD-4")}),
    Row("schedule", codes.PROCEDURE_RECORD, "U", Who.USERS, None, STUDIES),
    Row("report", codes.PROCEDURE_RECORD, "U", Who.USERS, None, STUDIES),
    _alert("query", codes.USE_OF_RESTRICTED_FUNCTION, programs=(RIS,), outcomes=RULES),
    Row("query", codes.QUERY, "E", Who.IN, None, ASKED, (RIS,)),
    Row("query", codes.QUERY, "E", Who.OUT, None, ASKED),
    _alert("begin-step", codes.USE_OF_RESTRICTED_FUNCTION, programs=(RIS,), outcomes=RULES),
    Row("begin-step", codes.PROCEDURE_RECORD, "C", Who.USERS, None, STUDIES),
    _alert("update-step", codes.USE_OF_RESTRICTED_FUNCTION, programs=(RIS,), outcomes=RULES),
    Row("update-step", codes.PROCEDURE_RECORD, "U", Who.USERS, None, STUDIES),
    # Images
    Row("acquire", codes.INSTANCES_ACCESSED, "C", Who.USERS, None, STUDIES),
    Row("import", codes.IMPORT, "C", Who.IMPORTS, None, STUDIES),
    Row("begin-transfer", codes.BEGIN_TRANSFERRING, "E", Who.OUT, None, STUDIES),
    Row("store", codes.INSTANCES_TRANSFERRED, "R", Who.OUT, None, STUDIES),
    Row("retrieve", codes.INSTANCES_TRANSFERRED, "R", Who.FETCHES, None, STUDIES),
    Row("receive-images", codes.INSTANCES_TRANSFERRED, "C", Who.IN, None, STUDIES),
    Row("take-object", codes.INSTANCES_TRANSFERRED, "R", Who.IN, None, STUDIES),
    Row("forward", codes.INSTANCES_TRANSFERRED, "R", Who.OUT, None, STUDIES),
    Row("ask-rejection", codes.PROCEDURE_RECORD, "U", Who.USERS, None, STUDIES),
    Row("decide-rejection", codes.PROCEDURE_RECORD, "U", Who.USERS, None, STUDIES),
    Row("reject-images", codes.INSTANCES_TRANSFERRED, "R", Who.OUT, None, STUDIES, (RIS,)),
    Row("reject-images", codes.INSTANCES_TRANSFERRED, "R", Who.IN, None, STUDIES, (actions.IMAGE_MANAGER,)),
    Row("hold-object", codes.INSTANCES_ACCESSED, "U", Who.USERS, None, STUDIES),
    Row("resolve-object", codes.INSTANCES_ACCESSED, "D", Who.USERS, None, STUDIES, values={"state": _any("discarded")}),
    Row("resolve-object", codes.INSTANCES_ACCESSED, "C", Who.USERS, None, STUDIES),
    Row("restamp", codes.INSTANCES_ACCESSED, "U", Who.USERS, None, STUDIES),
    _alert("settle", codes.USE_OF_RESTRICTED_FUNCTION),
    # What is in the network
    _alert("find-asset", codes.NETWORK_CONFIGURATION),
    # The directory of people
    _alert("lock-account", codes.USER_SECURITY_CHANGED),
    _alert("unlock-account", codes.USER_SECURITY_CHANGED),
    _alert("change-account", codes.SECURITY_ROLES_CHANGED, values={"change": _any("join", "leave")}),
    _alert("change-account", codes.USER_SECURITY_CHANGED),
    _alert("change-group", codes.SECURITY_ROLES_CHANGED),
    # People who sign in
    Row("sign-in", codes.USER_AUTHENTICATION, "E", Who.SIGNS, codes.LOGIN),
    Row("sign-out", codes.USER_AUTHENTICATION, "E", Who.SIGNS, codes.LOGOUT),
    _alert("authorize", codes.AUTHORIZATION_DECISION),
    _alert("confirm-session", codes.SESSION_STOP, outcomes=RULES),
    _alert("issue-token", codes.AUTHENTICATION_DECISION, outcomes=RULES),
    _alert("command", codes.USE_OF_RESTRICTED_FUNCTION, outcomes=RULES),
    _alert("open-envelope", codes.EMERGENCY_OVERRIDE_STARTED),
    _alert("seal-envelope", codes.EMERGENCY_OVERRIDE_STOPPED),
    # The host itself
    _alert("fetch-lists", codes.SECURITY_CONFIGURATION, outcomes=(SUCCESS, REFUSED)),
    _alert("take-lines", codes.AUDIT_RECORDING_STARTED, outcomes=(SUCCESS,)),
    _alert("take-lines", codes.AUDIT_RECORDING_STOPPED, outcomes=(REFUSED, FAILED, WAITING)),
    _alert(
        "change-health", codes.NETWORK_CONFIGURATION, outcomes=(FAILED,),
        values={"service": _any("host-firewall", "packet-filter")},
    ),
    Row("start", codes.APPLICATION_ACTIVITY, "E", Who.APPLICATION, codes.APPLICATION_START),
    Row(told.UNIT_START, codes.APPLICATION_ACTIVITY, "E", Who.APPLICATION, codes.APPLICATION_START),
    Row(told.UNIT_STOP, codes.APPLICATION_ACTIVITY, "E", Who.APPLICATION, codes.APPLICATION_STOP),
    Row(told.UNIT_FAIL, codes.APPLICATION_ACTIVITY, "E", Who.APPLICATION, codes.APPLICATION_STOP),
    _alert(told.UNIT_RELOAD, codes.NETWORK_CONFIGURATION, values={"unit": _any("nftables.service")}),
    _alert(
        told.SSH_LOGIN, codes.EMERGENCY_OVERRIDE_STARTED, outcomes=(SUCCESS,), values={"user": _any("emergency")},
        beside=True,
    ),
    Row(told.SSH_LOGIN, codes.USER_AUTHENTICATION, "E", Who.SIGNS, codes.LOGIN),
    Row(told.SSH_LOGOUT, codes.USER_AUTHENTICATION, "E", Who.SIGNS, codes.LOGOUT),
    _alert(told.SUDO, codes.USE_OF_RESTRICTED_FUNCTION),
    _alert(told.CHANGE_LOCAL, codes.SECURITY_ROLES_CHANGED, values={"change": _any("join", "leave")}),
    _alert(told.CHANGE_LOCAL, codes.USER_SECURITY_CHANGED),
    _alert(told.CONFIGURE, codes.SOFTWARE_CONFIGURATION),
    _alert("change-file", codes.SOFTWARE_CONFIGURATION),
    _alert(told.FORGE_EVENT, codes.USE_OF_RESTRICTED_FUNCTION),
    _alert(told.AUDIT_START, codes.AUDIT_RECORDING_STARTED),
    _alert(told.AUDIT_STOP, codes.AUDIT_RECORDING_STOPPED),
)  # fmt: skip

TABLE: dict[str, tuple[Row, ...]] = {
    action: tuple(row for row in _ROWS if row.action == action) for action in dict.fromkeys(row.action for row in _ROWS)
}
"""The rows of each action, in their order."""

NOT_AUDITED: dict[str, str] = {
    "ask-second-factor": "half of a sign-in; `sign-in` tells its end",
    "commit-object": "an answer that an archive could not give; nobody saw or changed anything",
    "commitment-report": "a promise about objects whose transfer is told",
    "deliver": "a turn of a service; what it delivers is told",
    "fill-storage": "the health of a host",
    "find-weakness": "what is known of software; nobody saw or changed anything",
    "list-asset": "the register of assets; nobody saw or changed anything",
    "notify-availability": "tells what an archive has, not what somebody saw or changed",
    "open-database": "the health of a host",
    "recover": "a program's own repair; `restamp` tells the change",
    "request-commitment": "a promise about objects whose transfer is told",
    "send": "carries what the action that made it tells; who receives it tells that too",
    "send-frame": "told by the ports of the lab's network, which are no host",
    "tell-people": "that people are told of what was found; what they read of it is told",
    "warn": "a library's warning",
    "work": "a turn of a service",
}
"""Actions of :mod:`simulators.events.actions` that are no security audit (PS3.15 A.5.3), with why."""

NOT_AUDITED_PARTS: dict[str, str] = {
    "associate": "what is let in, but for a caller's first (A.5.3.11, note); what is asked in it is told",
    "change-health": "all but a packet filter whose rules are not those of the site",
    "command": "all but what is refused",
    "confirm-session": "a directory that does not answer",
    "connect": "what is let in, as above; packet filters tell of packets, not of a node that shows who it is",
    "echo": "what is answered",
    "fetch-lists": "lists that cannot be fetched, as each minute while their server is away: the health of a host",
    "issue-token": "what is issued: `sign-in` and `authorize` tell it",
    "receive": "what has no message type and could not be processed, for no rule's reason",
    "request": "what is let in, as above, but for studies that are searched or given; pages of sign-on and viewer",
    "unit-reload": "all but a packet filter's",
}
"""What is left out of actions that are in the table."""


def rows_for(event: Told) -> Iterator[Row]:
    """Yield the rows whose messages an event becomes: those that stand beside, and the first of the others."""
    if event.action == told.UNIT_START and event.text("unit") in START_OF_ITS_OWN:
        return
    for row in TABLE.get(event.action, ()):
        if row.fits(event):
            yield row
            if not row.beside:
                return


START_OF_ITS_OWN = frozenset(f"{program}.service" for program in actions.START.programs)
"""Units whose program tells itself that it is ready."""
SPEAK_DICOM = frozenset(
    {*actions.QUERY.programs, actions.IMAGE_MANAGER, actions.ARCHIVE, "orthanc.service", EDGE, "haproxy.service"}
)
"""Programs and units that speak under the host's AE title."""
