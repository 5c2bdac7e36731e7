"""What the repository's rules make of events: their alerts with the events that show them, and rules switched off."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lab.hospital.answers import Answer, read
from lab.hospital.errors import CommandFailedError
from lab.hospital.repository import COMMAND, Found, Repository

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lab.engine.lab import Lab

LINES = "pacslab-siem-lines.service"
"""What hands the collector's lines to the repository, where the site's settings ask for it (`siem_lines`)."""
SECONDS = 300.0
"""For which a rule is switched off at most, should nobody switch it on again."""


class Alert(Answer):
    """An alert, as the repository keeps it.

    Attributes:
        position: Of its record.
        received: When it was stored.
        host: Of the event that raised it.
        rule: Name of the rule.
        level: How grave it is.
        of: Position of the event that raised it.
        fields: What it says: title, subject, evidence, what to do.
    """

    position: int
    received: datetime
    host: str
    rule: str
    level: str
    of: int
    fields: dict[str, Any]

    @property
    def summary(self) -> str:
        """One sentence: what happened, to or by whom."""
        return str(self.fields.get("summary") or self.fields.get("message") or self.rule)

    @property
    def events(self) -> tuple[int, ...]:
        """Positions of the events that show it."""
        return tuple(map(int, self.fields.get("events", ()))) or (self.of,)


@dataclass(frozen=True)
class Kind:
    """What an event is, as far as a rule looks: everything but who, whom and when."""

    dataset: str
    provider: str
    action: str
    outcome: str
    reason: str

    @classmethod
    def of(cls, found: Found) -> Kind:
        """The kind of an event."""
        names = ("event.dataset", "event.provider", "event.action", "event.outcome", "event.reason")
        return cls(*(str(found.fields.get(name, "")) for name in names))

    def __str__(self) -> str:
        """In words."""
        return " ".join(word for word in (self.provider, self.action, self.outcome, self.reason) if word)


class Detections:
    """The judge of a lab's repository.

    Example:
        >>> detections = Detections(lab)
        >>> began = detections.now()
        >>> [alert.rule for alert in detections.alerts(began)]
        ['dicom-title-of-another']
    """

    def __init__(self, lab: Lab) -> None:
        """Take the repository from the lab's site.

        Raises:
            UsageError: the site has none.
        """
        self.repository = Repository(lab)
        self.lab, self.host = lab, self.repository.host

    def now(self) -> datetime:
        """The time of the repository's host.

        Raises:
            CommandFailedError: it does not tell.
        """
        said = self._run(["date", "--utc", "+%Y-%m-%dT%H:%M:%S.%6N+00:00"])
        return datetime.fromisoformat(said.strip())

    def alerts(self, since: datetime, rule: str = "") -> list[Alert]:
        """The alerts that were stored since a time, of one rule or of all; the oldest first.

        Raises:
            CommandFailedError: the repository does not answer.
        """
        said = self._run([COMMAND, "alerts", "--since", since.isoformat()])
        found = [read(Alert, line, f"{COMMAND} alerts on {self.host}") for line in said.splitlines()]
        return [alert for alert in found if rule in {"", alert.rule}]

    def evidence(self, alert: Alert, since: datetime) -> list[Found]:
        """The events that show an alert, as far as they were stored since a time.

        Raises:
            CommandFailedError: the repository does not answer.
        """
        positions = [str(position) for position in alert.events]
        said = self._run([COMMAND, "events", *positions, "--since", since.isoformat()])
        return [read(Found, line, f"{COMMAND} events on {self.host}") for line in said.splitlines()]

    def kinds(self, hosts: Sequence[str], since: datetime) -> list[Kind]:
        """What events of hosts were stored since a time, each by its kind.

        Raises:
            CommandFailedError: the repository does not answer.
        """
        found = [event for host in dict.fromkeys(hosts) for event in self.repository.show(since.isoformat(), host=host)]
        return [Kind.of(event) for event in found]

    @cached_property
    def takes_lines(self) -> bool:
        """Whether the repository reads what hosts tell in no audit message, out of the collector's lines."""
        return self.lab.run(self.host, ["systemctl", "is-active", "--quiet", LINES]).code == 0

    @contextmanager
    def without(self, rule: str, why: str) -> Iterator[None]:
        """Take a rule out of the judge, and put it back at the end; it comes back by itself should nobody do that.

        Raises:
            CommandFailedError: the judge does not go by it, or not any more.
        """
        try:
            self._run([COMMAND, "switch-off", rule, "--seconds", f"{SECONDS:g}", "--reason", why])
            yield
        finally:
            self._run([COMMAND, "switch-on", rule])

    def _run(self, argv: Sequence[str]) -> str:
        done = self.lab.run(self.host, list(argv), timeout=120)
        if done.code != 0:
            raise CommandFailedError(
                f"{' '.join(argv[:3])} on {self.host} failed: {(done.stderr or done.stdout).strip()[-300:]}",
                remedy=f"See `pacslab status`, and `pacslab logs {self.host}`.",
            )
        return done.stdout
