"""An event of docs/events.md, or a line that was read as one, becomes fields; who called whom is told by its action."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from simulators.events import actions
from simulators.siem.fields import OF_KEY, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.fields import Fields, Value

OUTCOMES = {"success": "success", "refused": "failure", "failed": "failure", "waiting": "unknown"}
"""``event.outcome`` of the Elastic Common Schema, by the outcome of docs/events.md."""

CALLS = frozenset({"send", "store", "request-commitment", "retrieve", "forward"})
"""Actions with which a program calls its peer; with every other, its peer calls it."""
CALLS_OF_ONE = frozenset({
    *((word, actions.MODALITY) for word in ("query", "begin-step", "update-step")),
    ("query", actions.WORKSTATION), ("report", actions.WORKSTATION), ("reject-images", actions.RIS),
    ("notify-availability", actions.IMAGE_MANAGER), ("person-searches", actions.GATEWAY),
})  # fmt: skip
"""The same, of actions that both sides tell."""

FILTERS = {actions.PACKET_FILTER: "host-firewall", actions.REFUSAL_COUNTS: "firewall", actions.FABRIC: "fabric"}
"""Programs that tell what others did, by what they are (``observer.type``)."""
_FIXED = frozenset({"time", "action", "outcome"})
_SPECIAL = frozenset(
    {"peer", "target", "person", "user", "account", "sid", "unit", "service", "status", "milliseconds"}
)


def calls_out(action: str, program: str) -> bool:
    """Whether the program that tells an action called its peer, and was not called by it."""
    return action in CALLS or (action, program) in CALLS_OF_ONE


def of_facts(action: str, outcome: str, program: str, facts: Mapping[str, Any], host: str) -> Fields:
    """Return the fields of an event.

    Args:
        action: what was attempted.
        outcome: how it ended, a word of docs/events.md.
        program: who tells it.
        facts: its other keys, values not empty.
        host: short name of the host that tells it.
    """
    fields: Fields = {
        "event.action": action,
        "event.outcome": OUTCOMES.get(outcome, "unknown"),
        "pacslab.outcome": outcome,
        "event.provider": program,
        "host.name": host,
    }
    for key, value in facts.items():
        if key in _SPECIAL:
            continue
        if (field := OF_KEY.get(key)) is not None and key not in _FIXED:
            fields[field.name] = _value(field.kind, value)
    for key in _SPECIAL & facts.keys():
        _PLACE[key](fields, facts, str(facts[key]))
    return fields


def _value(kind: Kind, value: Any) -> Value:
    if kind is Kind.LONG:
        return number(value)
    if kind is Kind.KEYWORDS:
        return [str(part) for part in value] if isinstance(value, list | tuple) else [str(value)]
    if kind is Kind.FLOAT and isinstance(value, int | float):
        return float(value)
    if kind is Kind.BOOLEAN:
        return value is True or value == "true"
    return value if isinstance(value, str) else str(value)


def number(value: Any) -> Value:
    """Return a whole number; text that is none stays text, and matches no comparison."""
    if isinstance(value, int):
        return value
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else text  # noqa: PLR2004 - 64 bits


def place(fields: Fields, side: str, name: str) -> None:
    """Note who stands at a side of a connection: by address or by name."""
    fields[f"{side}.{'ip' if is_address(name) else 'domain'}"] = name


@lru_cache(4096)
def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _peer(fields: Fields, facts: Mapping[str, Any], peer: str) -> None:
    action, program, host = str(fields["event.action"]), str(fields["event.provider"]), str(fields["host.name"])
    if kind := FILTERS.get(program):
        firewall = "source_zone" in facts
        fields["observer.name"], fields["observer.type"] = host, "firewall" if firewall else kind
        place(fields, "source", peer)
    elif calls_out(action, program) or facts.get("edge") == "dicom-outbound":
        place(fields, "destination", peer)
        fields["source.domain"] = host
    else:
        place(fields, "source", peer)
        if "target" not in facts:
            fields["destination.domain"] = host


def _target(fields: Fields, facts: Mapping[str, Any], target: str) -> None:
    if fields["event.action"] == "sudo":
        fields["user.effective.name"] = target
        return
    place(fields, "destination", target)
    if facts.get("edge") == "dicom-outbound":
        fields["source.domain"] = str(fields["host.name"])


def _person(fields: Fields, facts: Mapping[str, Any], person: str) -> None:
    fields["user.name"] = person
    if "user" in facts and facts["user"] != person:
        fields["user.effective.name"] = str(facts["user"])


def _user(fields: Fields, facts: Mapping[str, Any], user: str) -> None:
    if "person" not in facts:
        fields["user.name"], fields["user.domain"] = user, str(fields["host.name"])


def _account(fields: Fields, _facts: Mapping[str, Any], account: str) -> None:
    fields["user.target.name"] = account


def _sid(fields: Fields, _facts: Mapping[str, Any], sid: str) -> None:
    fields["user.id"] = sid


def _service(fields: Fields, facts: Mapping[str, Any], service: str) -> None:
    fields["service.name"] = service
    if "unit" in facts:
        fields["pacslab.unit"] = str(facts["unit"])


def _unit(fields: Fields, facts: Mapping[str, Any], unit: str) -> None:
    if "service" not in facts:
        fields["service.name"] = unit


def _status(fields: Fields, facts: Mapping[str, Any], status: str) -> None:
    web = "method" in facts and status.isascii() and status.isdigit()
    fields["http.response.status_code" if web else "pacslab.status"] = int(status) if web else status


def _milliseconds(fields: Fields, _facts: Mapping[str, Any], milliseconds: str) -> None:
    if milliseconds.isascii() and milliseconds.isdigit():
        fields["event.duration"] = int(milliseconds) * 1_000_000


_PLACE = {
    "peer": _peer,
    "target": _target,
    "person": _person,
    "user": _user,
    "account": _account,
    "sid": _sid,
    "service": _service,
    "unit": _unit,
    "status": _status,
    "milliseconds": _milliseconds,
}
