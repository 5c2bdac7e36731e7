"""A rule that would be judged otherwise than it reads is refused, with the file and what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from simulators.siem.sigma.model import Correlation, Rule, RuleError
from simulators.siem.sigma.read import RULES, load, read_file

if TYPE_CHECKING:
    from pathlib import Path

ID = "11111111-2222-4333-8444-555555555555"
RULE = f"""
title: A rule
id: {ID}
name: one
level: high
logsource: {{product: pacslab}}
detection:
  selection: {{event.action: query}}
  condition: selection
"""
COUNT = """
title: Many
id: 11111111-2222-4333-8444-555555555556
level: high
correlation:
  type: event_count
  rules: [one]
  group-by: [user.name]
  timespan: 5m
  condition: {gte: 3}
"""


def _load(folder: Path, text: str) -> list[object]:
    (folder / "rule.yml").write_text(text, "utf-8")
    return list(load(folder))


def test_a_correlation_counts_a_rule_by_its_name(tmp_path: Path) -> None:
    rule, correlation = _load(tmp_path, f"{RULE}---{COUNT}")
    assert isinstance(rule, Rule)
    assert isinstance(correlation, Correlation)
    assert correlation.rules == (ID,)
    assert (correlation.seconds, correlation.least) == (300, 3)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (ID, "7", "no id"),
        ("level: high", "level: grave", "no level"),
        ("product: pacslab", "product: windows", "logsource"),
        ("product: pacslab", "product: pacslab, category: x", "logsource"),
        ("event.action", "event.act", "no field 'event.act'"),
        ("condition: selection", "condition: selection and other", "'other'"),
        ("condition: selection", "condition: [selection]", "one condition"),
        ("level: high", "level: high\nfields: [x]", "'fields' is not understood"),
        ("level: high", "level: high\nx-pacslab: {colour: red}", "'colour'"),
        ("level: high", "level: high\nx-pacslab: {subject: [x]}", "no field 'x'"),
        ("title: A rule", "title: [", "no YAML"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        _load(tmp_path, RULE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[one]", "[two]", "no rule 'two'"),
        ("[one]", "[]", "no rules"),
        ("event_count", "value_median", "no type"),
        ("timespan: 5m", "timespan: 5 minutes", "timespan"),
        ("{gte: 3}", "{lt: 3}", "condition 'gte'"),
        ("{gte: 3}", "{gte: 0}", "condition 'gte'"),
        ("[user.name]", "[user.nickname]", "no field 'user.nickname'"),
        ("event_count", "value_count", "no field ''"),
        ("timespan: 5m", "timespan: 5m\n  window: sliding", "'window' is not understood"),
    ],
)
def test_a_correlation_that_cannot_be_judged_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(RuleError, match=said):
        _load(tmp_path, f"{RULE}---{COUNT.replace(old, new)}")


def test_two_rules_do_not_have_one_id(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text(RULE.replace("name: one", "name: other"), "utf-8")
    with pytest.raises(RuleError, match="two rules"):
        _load(tmp_path, RULE)


def test_a_rule_is_switched_off_by_its_id_or_its_file() -> None:
    everything = load()
    path = RULES / "break-glass.yml"
    (rule,) = read_file(path)
    for name in (rule.head.id, path.stem):
        left = load(off=[name])
        assert {one.head.id for one in everything} - {one.head.id for one in left} == {rule.head.id}
