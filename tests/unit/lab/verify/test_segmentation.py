"""What segmentation does about refusals that were logged and are not on record."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from lab.results.model import Outcome
from lab.verify.check import Context
from lab.verify.checks import segmentation
from lab.verify.judgement import record_wanted
from lab.verify.matrix import Attempt, attempts
from tests.unit.lab.verify.sites import small_site

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lab.engine.lab import Lab
    from lab.verify.refused_packets import RefusedPacket

MOST = 20
"""Refusals that may be missing, and are tried again."""
ONCE_IN = 60.0
"""Seconds in which the firewall logs a source, target and port once."""


class Network:
    """Hosts and filters that do as described, and a way to the collector on which the first lines may be lost."""

    def __init__(self, lost: int) -> None:
        """Lose so many lines."""
        self.now, self.lost = 1000.0, lost
        self.collected = None
        self.logged: dict[RefusedPacket, float] = {}
        self.seen: dict[RefusedPacket, float] = {}
        self.attempts = attempts(small_site())

    def try_all(self, lab: Lab, wanted: Iterable[Attempt], rate: float = 0.0) -> dict[Attempt, str]:
        """Answer attempts, and log what is refused."""
        del lab, rate
        outcomes = {attempt: "connected" if attempt.allowed else "timeout" for attempt in wanted}
        for attempt in outcomes:
            record = record_wanted(attempt)
            if record is None or self.logged.get(record, 0.0) + ONCE_IN > self.now:
                continue
            self.logged[record] = self.now
            self.now += 0.01
            if self.lost:
                self.lost -= 1
            else:
                self.seen[record] = self.now
        return outcomes

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    def await_all(self, wanted: Collection[RefusedPacket], loggers: Collection[str]) -> None:
        """All that will come has come."""

    def before(self, loggers: Collection[str]) -> dict[RefusedPacket, float]:
        """Nothing was refused shortly before."""
        del loggers
        return {}


@pytest.mark.parametrize(
    ("lost", "passes"),
    [(0, True), (5, True), (MOST, True), (MOST + 1, False)],
)
def test_refusals_whose_lines_were_lost_are_tried_again_when_they_are_logged_again(
    monkeypatch: pytest.MonkeyPatch,
    lost: int,
    passes: bool,  # noqa: FBT001 # a parameter of the test
) -> None:
    network, told = Network(lost), list[str]()
    monkeypatch.setattr(segmentation, "TRIED_AGAIN", MOST)
    monkeypatch.setattr(segmentation, "attempts", lambda _: network.attempts)
    monkeypatch.setattr(segmentation, "_try", network.try_all)
    monkeypatch.setattr(segmentation, "Collected", lambda _: None)
    monkeypatch.setattr(segmentation, "Records", lambda _: network)
    monkeypatch.setattr(segmentation, "time", SimpleNamespace(time=lambda: network.now, sleep=network.sleep))
    monkeypatch.setattr(segmentation, "judge_forgeries", lambda *_: iter(()))
    monkeypatch.setattr(segmentation, "judge_mirrors", lambda _: iter(()))
    lab = cast("Lab", SimpleNamespace(site=small_site()))
    results = list(segmentation.CHECK.judge(Context(lab, told.append)))
    assert len(results) == len(network.attempts)
    assert all(result.outcome is Outcome.PASSED for result in results) == passes
    assert any("tried once more" in line for line in told) == (0 < lost <= MOST)
