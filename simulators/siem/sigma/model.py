"""What detections consist of: rules, correlations of rules, and what our own block of a rule says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simulators.errors import SimulatorError


class RuleError(SimulatorError):
    """A rule's file says what cannot be judged."""

    exit_code = 2

    def __init__(self, where: str, what: str) -> None:
        """Say in which file and rule, and what is wrong."""
        super().__init__(f"{where}: {what}.", remedy="See docs/detections.md, 'Add one'.")


class Level(StrEnum):
    """How grave an alert is."""

    INFORMATIONAL = "informational"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Op(StrEnum):
    """How a field is compared; texts are compared without case but by ``CASED`` and ``MATCHES``."""

    EQUALS = "equals"
    CASED = "cased"
    CONTAINS = "contains"
    STARTS = "startswith"
    ENDS = "endswith"
    MATCHES = "re"
    LIKE = "like"
    """With wildcards of Sigma, as a regular expression."""
    CIDR = "cidr"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    EXISTS = "exists"
    SAME = "fieldref"
    """As another field's value."""


@dataclass(frozen=True)
class Comparison:
    """A comparison of a field with a value."""

    field: str
    op: Op
    value: Any


@dataclass(frozen=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class OneOf:
    """One part holds at least."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: Node


Node = Comparison | AllOf | OneOf | Not


@dataclass(frozen=True)
class Respond:
    """Our own block of a rule, ``x-pacslab``: what an alert carries besides what Sigma has.

    Attributes:
        abuse: the abuses that it answers, by their ids in :mod:`simulators.siem.abuses`.
        cases: abuse cases of the lab that provoke it (docs/abuse.md).
        control: rows of the control map that it serves.
        respond: what to do about it.
        subject: fields by which alerts are of the same incident.
        match: examples that must raise the alert.
        pass_: examples that must not.
    """

    abuse: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    respond: str = ""
    subject: tuple[str, ...] = ()
    match: tuple[Any, ...] = ()
    pass_: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Head:
    """What rules and correlations share."""

    id: str
    title: str
    description: str
    level: Level
    tags: tuple[str, ...]
    false_positives: tuple[str, ...]
    name: str
    file: str
    ours: Respond = field(repr=False)

    @property
    def attack(self) -> tuple[str, ...]:
        """Techniques of MITRE ATT&CK, such as ``T1046``."""
        return tuple(tag.removeprefix("attack.").upper() for tag in self.tags if tag.startswith("attack.t"))


@dataclass(frozen=True)
class Rule:
    """A rule about one event."""

    head: Head
    datasets: frozenset[str]
    """Of which kinds of event it is (``event.dataset``)."""
    node: Node


class Counting(StrEnum):
    """What a correlation counts."""

    EVENTS = "event_count"
    VALUES = "value_count"
    TEMPORAL = "temporal"
    ORDERED = "temporal_ordered"


@dataclass(frozen=True)
class Correlation:
    """A rule about several events that rules matched, within a time and with the same values.

    Attributes:
        counting: what is counted.
        rules: names or ids of the rules whose matches are taken.
        group_by: fields whose values are the same.
        seconds: within which time.
        least: how many; of temporal correlations, every rule once.
        counted: the field whose values are counted.
        aliases: for a field of ``group_by``, by which field each rule has it.
        generate: whether the rules also raise alerts of their own.
    """

    head: Head
    counting: Counting
    rules: tuple[str, ...]
    group_by: tuple[str, ...]
    seconds: float
    least: int = 1
    counted: str = ""
    aliases: dict[str, dict[str, str]] = field(default_factory=dict)
    generate: bool = False


Detection = Rule | Correlation
