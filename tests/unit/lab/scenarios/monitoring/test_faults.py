"""What a deed changes on a host is taken back, whatever happens; and it is told when it was not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.engine.lab import Completed
from lab.scenarios.failure import StepFailure
from lab.scenarios.monitoring import faults
from lab.scenarios.monitoring.facts import MonitoringFacts
from lab.scenarios.stage import Stage

STOP, START = ["systemctl", "stop", "it"], ["systemctl", "start", "it"]


class Host:
    """A host of which commands fail that are said to."""

    def __init__(self, *bad: str) -> None:
        """Nothing was run yet."""
        self.bad, self.ran = bad, list[str]()

    def run(self, host: str, argv: list[str]) -> Completed:
        """Remember the command."""
        assert host == "us1"
        self.ran.append(argv[1])
        return Completed(1 if argv[1] in self.bad else 0, "", "no")


def stage_of(host: Host) -> Any:
    return Stage(cast("Any", SimpleNamespace(run=host.run)), MonitoringFacts())


def change(host: Host, **rest: Any) -> Any:
    return faults.changed(stage_of(host), "us1", STOP, START, said="it was stopped", **rest)


def test_a_change_is_taken_back_at_the_end() -> None:
    host = Host()
    with change(host) as said:
        assert (said, host.ran) == ("it was stopped", ["stop"])
    assert host.ran == ["stop", "start"]


def test_a_change_is_taken_back_when_what_follows_fails() -> None:
    host = Host()
    with pytest.raises(StepFailure, match="no alert"), change(host):
        raise StepFailure("no alert")
    assert host.ran == ["stop", "start"]


def test_a_change_that_could_not_be_made_is_taken_back_all_the_same() -> None:
    host = Host("stop")
    with pytest.raises(StepFailure, match="ended with 1"), change(host):
        pass
    assert host.ran == ["stop", "start"]


def test_a_change_that_could_not_be_taken_back_is_told() -> None:
    with pytest.raises(StepFailure, match="not taken back on us1"), change(Host("start")):
        pass


def test_a_host_that_is_not_as_it_was_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "TAKEN_BACK_WITHIN", 0.01)
    with pytest.raises(StepFailure, match="not as it was"), change(Host(), restored=lambda: False):
        pass
