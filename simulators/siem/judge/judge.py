"""Judges events: rules on each, correlations over several, and what learns from them; alerts come out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from simulators.siem.judge.alert import of_rule
from simulators.siem.judge.correlate import Groups
from simulators.siem.normalise.moment import seconds_of
from simulators.siem.sigma.compile import Compiled
from simulators.siem.sigma.model import Correlation, Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulators.siem.fields import Fields
    from simulators.siem.judge.alert import Alert
    from simulators.siem.sigma.model import Detection

VERSION = 1
QUIET = 10.0
"""Seconds in which a rule raises no second alert about one subject; what happens meanwhile is counted."""
MOST_SUBJECTS = 10_000
"""Subjects that are remembered for that."""


class Detector(Protocol):
    """What judges events beside rules, and may remember something of them."""

    name: str

    def judge(self, event: int, fields: Fields, now: float) -> Iterable[Alert]:
        """Take an event that happened at `now` (seconds since 1970); yield alerts."""

    def tick(self, now: float) -> Iterable[Alert]:
        """Yield alerts of what has not happened, as time goes by."""

    def snapshot(self) -> Any:
        """Return what is remembered, as JSON has it."""

    def restore(self, snapshot: Any) -> None:
        """Remember it again."""


class Judge:
    """The judge of a repository. One process has one, and gives it every event once, in the order of their numbers."""

    def __init__(self, detections: Sequence[Detection], detectors: Sequence[Detector] = ()) -> None:
        """Take rules, and what judges beside them."""
        self.detectors = tuple(detectors)
        rules = [detection for detection in detections if isinstance(detection, Rule)]
        self._rules = rules
        self._compiled = Compiled(rules)
        self._groups = [Groups(one) for one in detections if isinstance(one, Correlation)]
        self._counted_by: dict[str, list[Groups]] = {}
        for groups in self._groups:
            for rule in groups.correlation.rules:
                self._counted_by.setdefault(rule, []).append(groups)
        silent = {
            rule for groups in self._groups if not groups.correlation.generate for rule in groups.correlation.rules
        }
        self._raises = [rule.head.id not in silent for rule in rules]
        self._quiet: OrderedDict[str, list[float]] = OrderedDict()
        self._names = [_name(rule.head.file) for rule in rules]
        self._off: frozenset[str] = frozenset()

    def switch_off(self, names: frozenset[str]) -> None:
        """Judge without the rules of these files, by their names without ending, until told otherwise.

        What a rule has counted, and about whom it was quiet, is forgotten when it goes and when it comes back: it
        begins with no memory, as a rule that was added does.
        """
        changed = names ^ self._off
        heads = [rule.head for rule in self._rules] + [groups.correlation.head for groups in self._groups]
        ids = {head.id for head in heads if _name(head.file) in changed}
        for groups in self._groups:
            if groups.correlation.head.id in ids:
                groups.forget()
        for key in [key for key in self._quiet if key.partition("|")[0] in ids]:
            del self._quiet[key]
        self._off = names

    def judge(self, event: int, fields: Fields) -> list[Alert]:
        """Return the alerts that an event raises.

        Args:
            event: its number in the store.
            fields: as the normaliser made them.
        """
        alerts: list[Alert] = []
        matched = self._compiled.matches(fields)
        if not matched and not self.detectors:
            return alerts
        now = happened(fields)
        for place in matched:
            if self._names[place] in self._off:
                continue
            alerts += self._matched(self._rules[place], self._raises[place], event, now, fields)
        for detector in self.detectors:
            alerts += (alert for alert in detector.judge(event, fields, now) if alert.file not in self._off)
        return [kept for alert in alerts if (kept := self._kept(alert, now)) is not None]

    def learn(self, event: int, fields: Fields) -> None:
        """Take an event that was judged before: what is remembered is as after it, and nothing is raised again."""
        self.judge(event, fields)

    def tick(self, now: float) -> list[Alert]:
        """Return the alerts of what has not happened until now: to be asked every few seconds."""
        told = [alert for detector in self.detectors for alert in detector.tick(now)]
        alerts = [alert for alert in told if alert.file not in self._off]
        return [kept for alert in alerts if (kept := self._kept(alert, now)) is not None]

    def _matched(self, rule: Rule, raises: bool, event: int, now: float, fields: Fields) -> Iterable[Alert]:  # noqa: FBT001
        if raises:
            yield of_rule(rule.head, fields, (event,))
        for groups in self._counted_by.get(rule.head.id, ()):
            found = groups.add(rule.head.id, event, now, fields)
            if found is not None:
                correlation = groups.correlation
                subject = tuple(zip(correlation.group_by, found.key, strict=True))
                subject = tuple((name, value) for name, value in subject if name != "event.dataset")
                facts: dict[str, Any] = {"count": len(found.events), "seconds": correlation.seconds}
                if correlation.counted:
                    facts["values"] = list(found.labels)[:20]
                yield of_rule(correlation.head, fields, found.events, subject=subject, facts=facts)

    def _kept(self, alert: Alert, now: float) -> Alert | None:
        """An alert, unless one of the same rule about the same subject was raised just before."""
        entry = self._quiet.get(alert.key)
        if entry is not None and now < entry[0]:
            entry[1] += 1
            return None
        repeated = int(entry[1]) if entry is not None else 0
        self._quiet[alert.key] = [now + QUIET, 0]
        self._quiet.move_to_end(alert.key)
        if len(self._quiet) > MOST_SUBJECTS:
            self._quiet.popitem(last=False)
        return replace(alert, repeated=repeated) if repeated else alert

    def snapshot(self) -> dict[str, Any]:
        """Return what is remembered, as JSON has it: to be kept with the number of the last event that was judged."""
        return {
            "version": VERSION,
            "groups": {groups.correlation.head.id: groups.snapshot() for groups in self._groups if len(groups)},
            "quiet": {key: list(entry) for key, entry in self._quiet.items()},
            "detectors": {detector.name: detector.snapshot() for detector in self.detectors},
        }

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Remember what a snapshot says; events that came after it are then told by :meth:`learn`."""
        if snapshot.get("version") != VERSION:
            return
        for groups in self._groups:
            if (kept := snapshot["groups"].get(groups.correlation.head.id)) is not None:
                groups.restore(kept)
        self._quiet = OrderedDict((key, list(map(float, entry))) for key, entry in snapshot["quiet"].items())
        for detector in self.detectors:
            if (remembered := snapshot["detectors"].get(detector.name)) is not None:
                detector.restore(remembered)


def _name(file: str) -> str:
    """How people call the rule of a file."""
    return file.removesuffix(".yml")


def happened(fields: Fields) -> float:
    """Return when an event happened, in seconds since 1970: as its host says, but no later than it came.

    A host that was cut off sends later what happened while it was: its events count where they belong. One whose clock
    is ahead cannot put them where nothing is counted yet.
    """
    stated = seconds_of(str(fields.get("@timestamp"))) or 0.0
    came = seconds_of(str(fields.get("event.ingested")))
    return stated if came is None else min(stated or came, came)
