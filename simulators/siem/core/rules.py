"""The repository's judge: events with their positions go in, findings as they are stored come out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.errors import SimulatorError
from simulators.siem.behaviour.detector import Behaviour
from simulators.siem.core.finding import Finding, NoRules
from simulators.siem.judge.judge import Judge
from simulators.siem.sigma.read import RULES, load
from simulators.siem.site import Site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulators.siem.fields import Fields
    from simulators.siem.judge.alert import Alert

SITE = Path("/etc/pacslab/siem-site.json")
"""What the site's description says, as :meth:`simulators.siem.site.Site.of` reads it."""


class Rules:
    """Judges by the rules of the product, and by those of a site beside them."""

    def __init__(self, judge: Judge, site: Site) -> None:
        """Take the judge, and what the site's description adds to events."""
        self._judge, self._site = judge, site

    @classmethod
    def of(cls, site: Mapping[str, Any], folders: Iterable[Path] = (RULES,), off: Iterable[str] = ()) -> Rules:
        """Read rules.

        Args:
            site: the site's description, as JSON has it.
            folders: where rules are.
            off: rules that are switched off, by id or by the name of their file.

        Raises:
            RuleError: a rule cannot be judged as it reads.
        """
        off = tuple(off)
        detections = [detection for folder in folders for detection in load(folder, off=off)]
        described = Site.of(site)
        return cls(Judge(detections, (Behaviour(described),)), described)

    def judge(self, event: Fields, position: int) -> Sequence[Finding]:
        """Return what is wrong with an event, in the light of those before it."""
        return [finding(alert) for alert in self._judge.judge(position, self._site.enrich(dict(event)))]

    def learn(self, event: Fields, position: int) -> None:
        """Take an event that was judged before a restart, and after what is remembered."""
        self._judge.learn(position, self._site.enrich(dict(event)))

    def tick(self, now: float) -> Sequence[Finding]:
        """Return what should have happened until now (seconds since 1970), and has not."""
        return [finding(alert) for alert in self._judge.tick(now)]

    def snapshot(self) -> dict[str, Any]:
        """Return what is remembered of the events so far, as JSON has it."""
        return self._judge.snapshot()

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Remember it again."""
        self._judge.restore(snapshot)


def judge_of(site: Mapping[str, Any]) -> tuple[Rules | NoRules, str]:
    """Return the judge, and why it has no rules if so: what comes is stored all the same."""
    try:
        return Rules.of(site), ""
    except (SimulatorError, OSError, ImportError) as error:
        return NoRules(), f"no event is judged, since rules cannot be read: {error}"


def finding(alert: Alert) -> Finding:
    """Return an alert as it is stored."""
    return Finding(alert.file, str(alert.level), alert.as_dict())


def site_of(path: Path = SITE) -> dict[str, Any]:
    """Read a site's description; where a host has none, it is empty, and adds nothing."""
    if not path.exists():
        return {}
    read: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return read
