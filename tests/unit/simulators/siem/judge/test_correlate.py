"""Correlations hold when Sigma says so, stay within bounds, and go on after a restart where they were."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from simulators.siem.judge.correlate import MOST_GROUPS, QUIET, Groups
from simulators.siem.sigma.model import Correlation, Counting, Head, Level, Respond

HEAD = Head("c", "Many", "", Level.HIGH, (), (), "", "many.yml", Respond())
COUNT = Correlation(HEAD, Counting.EVENTS, ("r",), ("user.name",), 60.0, 3)
VALUES = replace(COUNT, counting=Counting.VALUES, counted="patient.id")
BOTH = replace(COUNT, counting=Counting.TEMPORAL, rules=("a", "b"), least=2)
ORDERED = replace(BOTH, counting=Counting.ORDERED)


def told(
    groups: Groups, *entries: tuple[float, dict[str, Any]] | tuple[float, dict[str, Any], str]
) -> list[tuple[int, ...]]:
    """Return the evidence of what holds, after each of these matches."""
    found = []
    for number, (time, fields, *rule) in enumerate(entries):
        held = groups.add(rule[0] if rule else "r", number, time, {"user.name": "x", **fields})
        if held is not None:
            found.append(held.events)
    return found


def test_events_are_counted_within_the_timespan() -> None:
    assert told(Groups(COUNT), (0, {}), (30, {}), (60, {})) == [(0, 1, 2)]
    assert told(Groups(COUNT), (0, {}), (30, {}), (61, {})) == []
    assert told(Groups(COUNT), (0, {}), (30, {}), (61, {}), (62, {})) == [(1, 2, 3)]


def test_groups_are_apart_and_case_makes_none() -> None:
    assert told(Groups(COUNT), (0, {}), (1, {"user.name": "y"}), (2, {})) == []
    assert told(Groups(COUNT), (0, {}), (1, {"user.name": "X"}), (2, {})) == [(0, 1, 2)]


def test_an_event_without_the_fields_of_the_group_counts_nowhere() -> None:
    groups = Groups(COUNT)
    assert [groups.add("r", number, 0.0, {}) for number in range(9)] == [None] * 9
    assert len(groups) == 0


def test_values_are_counted_once_each() -> None:
    patients = [{"patient.id": name} for name in ("1", "1", "2", "1", "3")]
    assert told(Groups(VALUES), *((number, one) for number, one in enumerate(patients))) == [(2, 3, 4)]
    assert told(Groups(VALUES), (0, patients[0]), (1, {}), (2, patients[2])) == []


def test_every_rule_has_to_match_once() -> None:
    assert told(Groups(BOTH), (0, {}, "b"), (1, {}, "b"), (2, {}, "a")) == [(1, 2)]
    assert told(Groups(BOTH), (0, {}, "b"), (61, {}, "a")) == []


def test_in_order_the_first_rule_matches_first() -> None:
    assert told(Groups(ORDERED), (0, {}, "b"), (1, {}, "a")) == []
    assert told(Groups(ORDERED), (0, {}, "b"), (1, {}, "a"), (2, {}, "b")) == [(1, 2)]


def test_aliases_name_the_field_of_each_rule() -> None:
    aliased = replace(BOTH, group_by=("who",), aliases={"who": {"a": "user.name", "b": "user.target.name"}})
    assert told(Groups(aliased), (0, {}, "a"), (1, {"user.target.name": "x"}, "b")) == [(0, 1)]
    assert told(Groups(aliased), (0, {}, "a"), (1, {"user.target.name": "y"}, "b")) == []


def test_what_comes_late_counts_where_it_belongs() -> None:
    assert told(Groups(COUNT), (50, {}), (100, {}), (60, {})) == [(0, 1, 2)]
    assert told(Groups(COUNT), (50, {}), (100, {}), (10, {})) == []


def test_a_group_that_raised_an_alert_is_quiet_for_a_while() -> None:
    entries = [(float(number), {}) for number in range(200)]
    assert len(told(Groups(COUNT), *entries)) == 4
    assert QUIET == 60


def test_it_stays_within_bounds() -> None:
    groups = Groups(replace(VALUES, seconds=1e9, least=50))
    for number in range(3 * MOST_GROUPS):
        fields = {"user.name": f"u{number}", "patient.id": "1"}
        groups.add("r", number, float(number), fields)
    assert len(groups) == MOST_GROUPS
    groups = Groups(replace(COUNT, least=5))
    for number in range(10_000):
        groups.add("r", number, float(number // 2), {"user.name": "x"})
    ((_, entries, _, _),) = groups.snapshot()["groups"]
    assert len(entries) <= 6


@pytest.mark.parametrize("correlation", [COUNT, VALUES, BOTH, ORDERED], ids=lambda one: str(one.counting))
def test_a_restart_changes_nothing(correlation: Correlation) -> None:
    entries = [
        (
            float(number * 7),
            {"user.name": f"u{number % 3}", "patient.id": str(number % 5)},
            correlation.rules[number % len(correlation.rules)],
        )
        for number in range(300)
    ]
    through = told(Groups(correlation), *entries)
    assert through
    groups, found = Groups(correlation), []
    for number, (time, fields, rule) in enumerate(entries):
        kept = json.loads(json.dumps(groups.snapshot()))
        groups = Groups(correlation)
        groups.restore(kept)
        held = groups.add(rule, number, time, fields)
        found += [held.events] if held is not None else []
    assert found == through


def test_what_a_changed_correlation_remembered_means_nothing() -> None:
    groups = Groups(COUNT)
    told(groups, (0, {}), (1, {}))
    other = Groups(replace(COUNT, least=4))
    other.restore(groups.snapshot())
    assert len(other) == 0
