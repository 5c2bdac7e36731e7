"""A rule that is switched off raises nothing, on record and for a while; only root's files count."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import pytest

from simulators.errors import ArgumentError, NotReadyError
from simulators.siem.core.switches import LONGEST, Switch, Switches
from simulators.siem.judge.judge import Judge
from simulators.siem.sigma.examples import events_of
from simulators.siem.sigma.read import load
from simulators.siem.switch import NotRootError, names, switch_off, switch_on
from tests.unit.simulators.siem.repository import Caller, Services, running_services, wait_until
from tests.unit.simulators.siem.test_judged import alerts, message, other_title

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ME = os.getuid()
RULE = "dicom-title-of-another"
ITS_SWITCH = "rule-switched-off"


def switch(rule: str = RULE, *, until: float = 0.0) -> Switch:
    return Switch(rule, until or time.time() + 60, "root", "an exercise")


@pytest.fixture
def switches(tmp_path: Path) -> Switches:
    return Switches(tmp_path / "switches", ME)


def test_a_rule_is_off_until_its_time_is_over(switches: Switches) -> None:
    given = switch()
    switches.put(given)
    assert switches.off(time.time()) == {RULE: given}
    assert switches.off(given.until) == {}
    switches.remove(RULE)
    assert switches.off(time.time()) == {}


def test_a_time_that_is_too_long_does_not_count(switches: Switches) -> None:
    switches.put(switch(until=time.time() + LONGEST + 60))
    assert switches.off(time.time()) == {}


def test_files_of_another_account_do_not_count(switches: Switches, tmp_path: Path) -> None:
    switches.put(switch())
    assert Switches(tmp_path / "switches", ME + 1).off(time.time()) == {}


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_file_that_others_may_write_does_not_count(switches: Switches, tmp_path: Path, mode: int) -> None:
    switches.put(switch())
    (tmp_path / "switches" / RULE).chmod(mode)
    assert switches.off(time.time()) == {}


def test_a_folder_that_others_may_write_does_not_count(switches: Switches, tmp_path: Path) -> None:
    switches.put(switch())
    (tmp_path / "switches").chmod(0o777)
    assert switches.off(time.time()) == {}


def test_a_link_and_a_file_of_another_form_do_not_count(switches: Switches, tmp_path: Path) -> None:
    switches.put(switch())
    folder = tmp_path / "switches"
    (folder / "hl7-repeated").symlink_to(folder / RULE)
    (folder / "hl7-malformed").write_text('{"until": "soon"}')
    (folder / "hl7-malformed").chmod(0o644)
    assert switches.off(time.time()).keys() == {RULE}


def test_every_rule_and_every_kind_of_what_is_unusual_can_be_named() -> None:
    assert {RULE, ITS_SWITCH, "sign-ons-failed", "behaviour-hour"} <= names()


def test_what_is_no_rule_or_no_time_is_refused(tmp_path: Path) -> None:
    places = {"folder": tmp_path / "switches", "runtime": tmp_path, "root": ME}
    with pytest.raises(ArgumentError, match="no rule"):
        switch_off("../judge", 10, "why", **places)
    with pytest.raises(ArgumentError, match="no rule"):
        switch_on("../judge", **places)
    with pytest.raises(ArgumentError, match="no time"):
        switch_off(RULE, LONGEST + 1, "why", **places)
    assert not (tmp_path / "switches").exists()


def test_nobody_but_root_switches(tmp_path: Path) -> None:
    with pytest.raises(NotRootError):
        switch_off(RULE, 10, "why", folder=tmp_path / "switches", runtime=tmp_path, root=ME + 1)
    assert not (tmp_path / "switches").exists()


def test_a_core_that_does_not_go_by_it_leaves_the_rule_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.siem.switch.TAKEN_WITHIN", 0.1)
    with pytest.raises(NotReadyError):
        switch_off(RULE, 10, "why", folder=tmp_path / "switches", runtime=tmp_path, root=ME)
    assert not (tmp_path / "switches" / RULE).exists()


def of(rule: str) -> Any:
    """The first example that raises a rule's alert."""
    return next(found for found in load() if found.head.file == f"{rule}.yml" and found.head.ours.match)


@pytest.mark.parametrize("rule", [RULE, "sign-ons-failed"])
def test_a_judge_without_a_rule_begins_anew_with_it(rule: str) -> None:
    judge, head = Judge(load()), of(rule).head
    events = list(events_of(head.ours.match[0]))

    def raised() -> bool:
        found = [alert.rule for number, fields in enumerate(events) for alert in judge.judge(number, fields)]
        return head.id in found

    assert raised()
    judge.switch_off(frozenset({rule}))
    assert not raised()
    judge.switch_off(frozenset())
    assert raised()  # about the same subject at once: what it was quiet about is forgotten


def test_a_count_that_has_begun_ends_with_the_rule() -> None:
    judge, head = Judge(load()), of("sign-ons-failed").head
    *most, last = list(events_of(head.ours.match[0]))
    for number, fields in enumerate(most):
        judge.judge(number, fields)
    judge.switch_off(frozenset({"sign-ons-failed"}))
    judge.switch_off(frozenset())
    assert head.id not in [alert.rule for alert in judge.judge(99, last)]


@pytest.fixture
def services(database: str) -> Iterator[Services]:
    """The repository's services, with our rules."""
    with running_services(database, "rules") as services:
        yield services


@pytest.fixture
def caller(services: Services) -> Iterator[Caller]:
    caller = Caller(services.edge)
    yield caller
    caller.close()


def test_a_running_core_judges_without_a_rule_on_record(services: Services, caller: Caller) -> None:
    places = {"folder": services.folder / "switches", "runtime": services.folder / "run", "root": ME}
    caller.send(message(1, "haproxy", action="connect", reason="old-tls", edge="dicom", peer="10.24.41.11"))
    caller.acknowledged(1)  # it is at work
    switch_off(RULE, 60, "an exercise", **places)
    caller.send(other_title(2))
    caller.acknowledged(2)
    assert RULE not in alerts(services)
    switch_on(RULE, **places)
    caller.send(other_title(3))
    caller.acknowledged(3)
    wait_until(lambda: RULE in alerts(services), "the rule is on again, and raises nothing")
    told = services.rows("SELECT fields->>'pacslab.state', fields->>'rule.name' FROM siem.events WHERE action = %s",
                         "switch-rule")  # fmt: skip
    assert told == [("off", RULE), ("on", RULE)]
    level, _, said = alerts(services)[ITS_SWITCH]
    assert (level, said["subject"]["rule.name"]) == ("critical", RULE)


def test_a_rule_comes_back_by_itself(services: Services, caller: Caller) -> None:
    places = {"folder": services.folder / "switches", "runtime": services.folder / "run", "root": ME}
    switch_on(RULE, **places)
    caller.send(message(1, "haproxy", action="connect", reason="old-tls", edge="dicom", peer="10.24.41.11"))
    caller.acknowledged(1)  # it is at work
    switch_off(RULE, 4, "an exercise", **places)
    wait_until(lambda: not (services.folder / "run" / "switched-off").read_text(), "it stays off")
    caller.send(other_title(2))
    caller.acknowledged(2)
    wait_until(lambda: RULE in alerts(services), "it is on, and raises nothing")
