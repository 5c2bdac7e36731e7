"""An audit message (PS3.15 A.5) becomes fields: what its schema let in, of our own programs or of a foreign device.

Messages that pacslab-audit made of an event become the same fields as that event itself, so that one rule fits both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulators.audit.codes import APPLICATION, DESTINATION, SOURCE
from simulators.audit.message import NOT_TOLD
from simulators.audit.told import CHANGE_LOCAL
from simulators.events.actions import EDGE
from simulators.siem.normalise.actions import DESCRIBED, OUTCOME, SYSTEMD, WORDS, action_of
from simulators.siem.normalise.moment import stamp
from simulators.siem.normalise.parts import ALERT_DESCRIPTION, TITLE, read
from simulators.siem.normalise.told import calls_out, is_address, of_facts

if TYPE_CHECKING:
    from simulators.siem.fields import Fields
    from simulators.siem.normalise.parts import Element, Participant, Read

INDICATED = {"0": "success", "4": "failed", "8": "failed", "12": "failed"}
"""The outcome, where nothing says more than EventOutcomeIndicator (A.5.2)."""
UNNAMED = frozenset({"", "-"})
"""APP-NAME of a sender that does not say which program it is (RFC 5424 6.2.5)."""


def of_message(
    message: Element, host: str, received: float, *, program: str = "", pid: str = "", sequence: int | None = None
) -> Fields:
    """Return the fields of an audit message.

    Args:
        message: the element ``AuditMessage``, which its schema let in.
        host: short name of the sender, by its certificate.
        received: when the repository had it, seconds since 1970.
        program: APP-NAME of the syslog message.
        pid: PROCID of the syslog message.
        sequence: the message's number in its sender's spool.
    """
    said = read(message)
    process = next((one for one in said.participants if _is_process(one, program)), None)
    if program in UNNAMED:
        program = (process.name or process.user) if process else ""
    action, outcome = _what(said, program)
    fields = of_facts(action, outcome, program, said.facts, host)
    fields["event.dataset"] = "dicom.audit"
    fields["event.code"] = said.code
    if said.kinds:
        fields["dicom.event_type"] = said.kinds
    fields["dicom.event_action"] = said.does
    fields["dicom.event_outcome"] = int(said.indicator) if said.indicator.isdigit() else 0
    if sequence is not None:
        fields["event.sequence"] = sequence
    if process is not None:
        fields["process.name"] = process.name or process.user
        if program == SYSTEMD:
            fields["service.name"] = process.name or process.user
        pid = process.user.rpartition("[")[2].rstrip("]") if process.user.endswith("]") else pid
    if pid.isdigit():
        fields["process.pid"] = int(pid)
    _people(said, fields, host)
    if action == CHANGE_LOCAL and "user.name" in fields:  # it is the account, and nobody says who changed it
        fields["user.target.name"] = fields.pop("user.name")
        fields.pop("user.domain", None)
    if "source.ip" not in fields and "source.domain" not in fields:
        _nodes(said.participants, process, fields, calling=calls_out(action, program))
    stamp(fields, said.time, received)
    return {name: value for name, value in fields.items() if value not in ("", [])}


def _is_process(one: Participant, program: str) -> bool:
    """Whether a participant is the process that tells: ``program[1234]``, or an application."""
    if one.role and one.name and one.user.startswith(f"{one.name}[") and one.user.endswith("]"):
        return program in UNNAMED or program == one.name
    return one.role == APPLICATION.value


def _what(said: Read, program: str) -> tuple[str, str]:
    """Action and outcome; reason and transaction become facts."""
    facts = said.facts
    if said.transaction:
        facts["transaction"] = said.transaction
    found = DESCRIBED.fullmatch(facts.pop(ALERT_DESCRIPTION, ""))
    if found is not None and found["action"] in WORDS:
        action = found["action"]
    else:
        failed = said.indicator != "0"
        action = action_of(said.code, said.does, said.kinds, program, said.transaction, failed=failed)
        found = OUTCOME.fullmatch(said.described)
    if found is None:
        return action, INDICATED.get(said.indicator, "failed")
    if found["reason"]:
        facts["reason"] = found["reason"]
    return action, found["outcome"]


def _people(said: Read, fields: Fields, host: str) -> None:
    """Note the person or account, which has no role: who asked, if more than one takes part."""
    people = [one for one in said.participants if one.role == "" and one.user != NOT_TOLD]
    if not people:
        return
    person = next((one for one in people if one.requests), people[0])
    name, _, domain = person.user.partition("@")
    account, _, where = person.alternative.partition("@")
    fields["user.name"] = name
    fields["user.domain"] = host if domain == said.reporter else domain
    if where == said.reporter and account != name:
        fields["user.effective.name"] = account
    elif not person.alternative.startswith(TITLE):
        fields["user.id"] = person.alternative
    if is_address(person.point):
        fields["source.ip"] = person.point
    elif person.point != said.reporter:
        fields["source.domain"] = person.point.split(".", 1)[0]


def _nodes(participants: list[Participant], process: Participant | None, fields: Fields, *, calling: bool) -> None:
    """Note who called whom, of the process that tells and its peer, or of two nodes of which neither tells."""
    nodes = [one for one in participants if one.role in {SOURCE.value, DESTINATION.value} and one is not process]
    if not nodes:
        return
    if process is None and len(nodes) > 1:
        caller = next((one for one in nodes if one.requests), nodes[0])
        _node(caller, "source", fields)
        _node(next(one for one in nodes if one is not caller), "destination", fields)
        return
    peer, host = nodes[0], fields["host.name"]
    side, other = ("destination", "source") if calling else ("source", "destination")
    _node(peer, side, fields)
    fields.setdefault(f"{other}.domain", host)
    if process is not None and process.title:
        fields.setdefault(f"dicom.{_TITLES[other]}", process.title)
    if fields["event.provider"] == EDGE and not is_address(peer.user) and peer.user != NOT_TOLD:
        fields["tls.client.x509.subject.common_name"] = peer.user


_TITLES = {"source": "calling_ae", "destination": "called_ae"}


def _node(node: Participant, side: str, fields: Fields) -> None:
    name = node.name or node.user
    if is_address(node.point):
        fields[f"{side}.ip"] = node.point
    if name != NOT_TOLD:
        fields[f"{side}.{'ip' if is_address(name) else 'domain'}"] = name
    if node.title:
        fields.setdefault(f"dicom.{_TITLES[side]}", node.title)
