"""What our functions match another evaluator matches too: pySigma's queries of SQLite, event by event, rule by rule.

SQLite compares with case where Sigma does not, so columns are declared ``NOCASE``. Events are those of all rules'
examples, and as many again with values that the rules name put together at random.
"""

from __future__ import annotations

import random
import sqlite3
from typing import Any

import pytest
import yaml
from sigma.backends.sqlite import sqliteBackend
from sigma.collection import SigmaCollection

from simulators.siem.fields import FIELDS
from simulators.siem.judge.correlate import Groups
from simulators.siem.judge.judge import happened
from simulators.siem.normalise.moment import text_of
from simulators.siem.sigma.compile import Compiled
from simulators.siem.sigma.examples import events_of
from simulators.siem.sigma.model import Correlation, Op, Rule
from simulators.siem.sigma.read import RULES, load
from tests.unit.simulators.siem.sigma.nodes import comparisons

DETECTIONS = load()
ALL_RULES = [detection for detection in DETECTIONS if isinstance(detection, Rule)]
CORRELATIONS = [detection for detection in DETECTIONS if isinstance(detection, Correlation)]
BEGIN = 1767604364
MANY = 3000


def _values() -> dict[str, list[Any]]:
    """Of each field that rules look at, the values that they name, and one that none does."""
    found: dict[str, set[Any]] = {}
    for rule in ALL_RULES:
        for test in comparisons(rule.node):
            values = found.setdefault(test.field, {"other"} if FIELDS[test.field].kind == "keyword" else {7})
            if test.op is Op.EQUALS:
                values.add(test.value)
            elif test.op in {Op.GTE, Op.LT}:
                values |= {test.value, test.value - 1, test.value + 1}
    return {field: sorted(values, key=str) for field, values in sorted(found.items())}


def _events() -> list[dict[str, Any]]:
    real = [
        dict(event)
        for detection in DETECTIONS
        for example in (*detection.head.ours.match, *detection.head.ours.pass_)
        for event in events_of(example)
    ]
    chance, values = random.Random(10), _values()  # noqa: S311 - the same at every run
    made = []
    for number in range(MANY):
        rule = chance.choice(ALL_RULES)
        event: dict[str, Any] = {"event.dataset": chance.choice(sorted(rule.datasets))}
        wanted = {test.field: test.value for test in comparisons(rule.node) if test.op is Op.EQUALS}
        for field in {*wanted, *chance.sample(list(values), 3)}:
            event[field] = wanted[field] if field in wanted and chance.random() < 0.9 else chance.choice(values[field])
        event = {name: value.upper() if value == "query" else value for name, value in event.items()}
        made.append({**event, "@timestamp": text_of(BEGIN + number)})
    return real + made


EVENTS = _events()


def _database() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:")
    columns = ", ".join(
        f'"{name}" {"TEXT COLLATE NOCASE" if field.kind == "keyword" else ""}' for name, field in FIELDS.items()
    )
    database.execute(f"CREATE TABLE logs (timestamp TEXT, {columns})")
    for event in EVENTS:
        names = [name for name, value in event.items() if not isinstance(value, list)]
        places = ", ".join("?" for _ in names)
        quoted = ", ".join(f'"{name}"' for name in names)
        values = [event[name] for name in names]
        insert = f"INSERT INTO logs (timestamp, {quoted}) VALUES (?, {places})"  # noqa: S608 - names of fields
        database.execute(insert, [event["@timestamp"], *values])
    return database


@pytest.fixture(scope="module")
def matched() -> dict[str, set[int]]:
    """The places of the events that SQLite says each rule matches."""
    database, found = _database(), {}
    for path in sorted(RULES.glob("*.yml")):
        for document in yaml.safe_load_all(path.read_text("utf-8")):
            if "correlation" in document:
                continue
            (query,) = sqliteBackend().convert(SigmaCollection.from_dicts([document]))
            rows = database.execute(query.replace("SELECT *", "SELECT rowid", 1))
            found[str(document["id"])] = {row[0] - 1 for row in rows}
    return found


@pytest.mark.parametrize("rule", ALL_RULES, ids=lambda rule: rule.head.name or rule.head.file.removesuffix(".yml"))
def test_both_match_the_same_events(rule: Rule, matched: dict[str, set[int]]) -> None:
    compiled = Compiled([rule])
    ours = {place for place, event in enumerate(EVENTS) if compiled.matches(event)}
    theirs = {place for place in matched[rule.head.id] if EVENTS[place].get("event.dataset") in rule.datasets}
    assert ours == theirs
    assert ours


def test_rules_match_alike_alone_and_together() -> None:
    together = Compiled(ALL_RULES)
    alone = [Compiled([rule]) for rule in ALL_RULES]
    for event in EVENTS:
        assert list(together.matches(event)) == [place for place, one in enumerate(alone) if one.matches(event)]


@pytest.mark.parametrize("correlation", CORRELATIONS, ids=lambda one: one.head.file.removesuffix(".yml"))
def test_both_find_the_same_groups(correlation: Correlation) -> None:
    """Of each correlation: the groups in which it holds at some moment."""
    (base,) = [rule for rule in ALL_RULES if rule.head.id == correlation.rules[0]]
    events = list(_bursts(correlation, base))
    groups, compiled = Groups(correlation), Compiled([base])
    found = (
        groups.add(base.head.id, place, happened(event), event)
        for place, event in enumerate(events)
        if compiled.matches(event)
    )
    ours = {one.key for one in found if one is not None}
    assert ours == _groups_of_sqlite(correlation, events)
    assert ours


def _bursts(correlation: Correlation, base: Rule) -> list[dict[str, Any]]:
    """Events that match, of several groups, some of which come fast enough and with values enough."""
    chance = random.Random(correlation.head.id)  # noqa: S311 - the same at every run
    (example, *_) = correlation.head.ours.match
    first = dict(next(iter(events_of(example))))
    events = []
    for group in range(12):
        step = correlation.seconds / correlation.least * chance.choice([0.3, 0.9, 0.99, 1.1, 2.0])
        kinds = chance.choice([1, correlation.least - 1, correlation.least, correlation.least + 5])
        for number in range(correlation.least + chance.randrange(8)):
            event = first | {name: f"{name}-{group}" for name in correlation.group_by if name != "event.dataset"}
            if correlation.counted:
                event[correlation.counted] = f"value-{number % max(kinds, 1)}"
            events.append(event | {"@timestamp": text_of(BEGIN + group * 100_000 + round(number * step, 3))})
    assert Compiled([base]).matches(events[0])
    return [{name: value for name, value in event.items() if name != "event.ingested"} for event in events]


def _groups_of_sqlite(correlation: Correlation, events: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    database = sqlite3.connect(":memory:")
    columns = ", ".join(f'"{name}"' for name in FIELDS)
    database.execute(f"CREATE TABLE logs (timestamp TEXT, {columns})")
    for event in events:
        quoted, places = ", ".join(f'"{name}"' for name in event), ", ".join("?" for _ in event)
        insert = f"INSERT INTO logs (timestamp, {quoted}) VALUES (?, {places})"  # noqa: S608 - names of fields
        database.execute(insert, [event["@timestamp"], *event.values()])
    collection = SigmaCollection.from_yaml((RULES / correlation.head.file).read_text("utf-8"))
    (query,) = sqliteBackend().convert(collection)
    keys = [yaml.safe_load(row[1]) for row in database.execute(query)]
    return {tuple(str(key[name]).lower() for name in correlation.group_by) for key in keys}
