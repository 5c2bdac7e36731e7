"""Events about assets have the words and keys of docs/events.md, and are told where the site looks for assets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lab.assets.known import load_known
from lab.assets.matches import matches
from lab.assets.register import register
from lab.assets.tell import (
    LONGEST,
    PROGRAM,
    asset_event,
    difference_event,
    tell,
    telling_host,
    weakness_event,
)
from lab.engine.execute import Completed
from lab.errors import EngineError
from simulators.events.actions import ACTIONS
from simulators.events.keys import FIXED
from simulators.events.reasons import REASONS
from tests.unit.lab.assets.packages import installed
from tests.unit.lab.verify.sites import small_site
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from collections.abc import Sequence

SITE = committed_site("reference")


class Host:
    """Stands in for a lab: takes what is written to a host's journal."""

    def __init__(self, code: int = 0) -> None:
        """Answer with this code."""
        self.code = code
        self.taken: list[tuple[str, list[str], bytes]] = []

    def run(self, host: str, argv: Sequence[str], *, input: bytes) -> Completed:  # noqa: A002 # as the lab's
        """Take it."""
        self.taken.append((host, list(argv), input))
        return Completed(self.code, "", "no journal")


def events() -> list[dict[str, Any]]:
    (found, *_) = [match for match in matches(load_known(), {"pacs": installed()}) if match.present]
    unanswered = found.weakness.model_copy(update={"response": None})
    (open_match,) = matches([load_known()[0].model_copy(update={"weakness": unanswered})], {"pacs": installed()})
    return [
        *map(asset_event, register(SITE, Path("/nonexistent"))),
        weakness_event(found, "pacs"),
        weakness_event(open_match, "pacs"),
        difference_event("undeclared-asset", mac="02:00:00:00:00:01", fabric_port="v41-66", asset_zone="modality-ct"),
        difference_event("changed-asset", peer="pacs-rad", part="orthanc", expected="1.13", observed="1.12"),
    ]


@pytest.mark.parametrize("event", events(), ids=lambda event: event["action"])
def test_every_event_has_the_words_and_keys_of_the_tables(event: dict[str, Any]) -> None:
    declared = ACTIONS[event["action"]]
    assert PROGRAM in declared.programs
    assert event.keys() <= {*FIXED, *declared.facts}
    assert (event["outcome"] == "success") == ("reason" not in event)
    if "reason" in event:
        assert REASONS[event["reason"]].outcome == event["outcome"]


def test_a_weakness_that_nobody_decided_about_has_failed() -> None:
    answered, unanswered = (event for event in events() if event["action"] == "find-weakness")
    assert answered["outcome"] == "success"
    assert (unanswered["outcome"], unanswered["reason"]) == ("failed", "unanswered-weakness")


def test_what_strangers_wrote_is_cut_and_makes_no_second_line() -> None:
    host = Host()
    tell(host, "fw", [difference_event("changed-asset", observed='x\n<0>{"action": "forged"}' + "y" * 500)])  # type: ignore[arg-type] # stands in
    ((_, argv, text),) = host.taken
    assert argv == ["systemd-cat", f"--identifier={PROGRAM}"]
    (line,) = text.decode().splitlines()
    assert line.startswith("<4>{")
    assert len(json.loads(line[3:])["observed"]) == LONGEST


def test_nothing_is_told_where_there_is_nothing() -> None:
    host = Host()
    tell(host, "fw", [])  # type: ignore[arg-type] # stands in
    assert host.taken == []


def test_a_host_that_does_not_take_events_is_told() -> None:
    with pytest.raises(EngineError, match="fw did not take 1 events: no journal"):
        tell(Host(code=1), "fw", [difference_event("missing-asset", peer="ct1")])  # type: ignore[arg-type] # stands in


def test_the_firewall_tells_where_no_host_looks_for_assets() -> None:
    assert telling_host(small_site()) == "fw"
