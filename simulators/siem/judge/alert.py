"""An alert: what happened, by which rule, with its evidence, the control that it serves, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.siem.sigma.model import Level

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulators.siem.fields import Fields
    from simulators.siem.sigma.model import Head

GRAVITY = {level: number for number, level in enumerate(Level)}
"""Levels in their order."""
LONGEST = 120
"""Characters of a value in a sentence."""
EVIDENCE = (
    "event.action", "event.reason", "user.name", "user.effective.name", "user.target.name", "group.name",
    "source.domain", "source.ip", "destination.domain", "destination.port", "service.name", "file.path",
    "pacslab.change",
)  # fmt: skip
"""What an alert tells of its event beside the subject; what names a patient stands in the event alone."""


@dataclass(frozen=True)
class Alert:
    """An alert.

    Attributes:
        rule: id of the rule.
        file: name of the rule's file, by which people call it.
        title: of the rule.
        level: how grave it is.
        time: when what it is about happened, RFC 3339.
        subject: who or what it is about, by fields; alerts of one rule about one subject are one incident.
        events: numbers of the events that show it, in the store.
        attack: techniques of MITRE ATT&CK.
        abuse: abuses that it answers.
        control: rows of the control map.
        respond: what to do.
        facts: what else was found: how many, the baseline; of a single event, the fields of :data:`EVIDENCE`.
        repeated: how often it happened to the subject since the last such alert, without one.
    """

    rule: str
    file: str
    title: str
    level: Level
    time: str
    subject: tuple[tuple[str, str], ...]
    events: tuple[int, ...]
    attack: tuple[str, ...] = ()
    abuse: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    respond: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    repeated: int = 0

    @property
    def key(self) -> str:
        """What alerts of one incident have in common."""
        return "|".join((self.rule, *(f"{name}={value}" for name, value in self.subject)))

    @property
    def summary(self) -> str:
        """One sentence: what happened, to or by whom."""
        about = ", ".join(f"{name} {value[:LONGEST]}" for name, value in self.subject)
        return f"{self.title}: {about}" if about else self.title

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {**asdict(self), "subject": dict(self.subject), "summary": self.summary, "facts": dict(self.facts)}


def of_rule(head: Head, fields: Fields, events: tuple[int, ...], **more: Any) -> Alert:
    """Return the alert of a rule, about an event."""
    subject = tuple((name, str(fields[name])) for name in head.ours.subject if name in fields)
    named = dict(subject)
    return Alert(
        rule=head.id,
        file=head.file.removesuffix(".yml"),
        title=head.title,
        level=head.level,
        time=str(fields.get("@timestamp", "")),
        subject=more.pop("subject", subject),
        events=events,
        attack=head.attack,
        abuse=head.ours.abuse,
        control=head.ours.control,
        respond=head.ours.respond,
        facts=more.pop("facts", {name: fields[name] for name in EVIDENCE if name in fields and name not in named}),
        **more,
    )
