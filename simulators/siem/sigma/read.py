"""Reads rules from files: one detection a file, a correlation together with the rules that it counts."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulators.siem.fields import FIELDS
from simulators.siem.sigma.condition import ConditionError, parse
from simulators.siem.sigma.logsources import LOGSOURCES
from simulators.siem.sigma.match import SelectionError, selection
from simulators.siem.sigma.model import Correlation, Counting, Head, Level, Respond, Rule, RuleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulators.siem.sigma.model import Detection

RULES = Path(__file__).parents[1] / "rules"
"""The rules that come with the product."""
OURS = "x-pacslab"
_HEAD = {
    "title", "id", "name", "status", "description", "references", "author", "date", "modified", "tags", "level",
    "falsepositives", "license", "related", OURS,
}  # fmt: skip
_SPAN = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def load(folder: Path = RULES, *, off: Iterable[str] = ()) -> list[Detection]:
    """Read every rule of a folder, but those that are switched off by id or by the name of their file.

    Raises:
        RuleError: one of them cannot be judged as it reads, or two have one id.
    """
    off = set(off)
    detections: list[Detection] = []
    for path in sorted(folder.glob("*.yml")):
        if path.stem not in off:
            detections += read_file(path)
    detections = [detection for detection in detections if detection.head.id not in off]
    ids = [detection.head.id for detection in detections]
    if twice := {one for one in ids if ids.count(one) > 1}:
        raise RuleError(str(folder), f"two rules have the id {twice.pop()}")
    return _resolved(detections)


def read_file(path: Path) -> list[Detection]:
    """Read the detections of one file.

    Raises:
        RuleError: it cannot be judged as it reads.
    """
    import yaml  # noqa: PLC0415 - a host without it stores what comes all the same, and says that nothing is judged

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's, where there is one: ten times as fast
    try:
        documents = [document for document in yaml.load_all(path.read_text("utf-8"), loader) if document]
    except yaml.YAMLError as error:
        raise RuleError(path.name, f"no YAML: {error}") from error
    return [_detection(document, path.name) for document in documents]


def _detection(given: Any, file: str) -> Detection:
    if not isinstance(given, dict):
        raise RuleError(file, "a rule is a map")
    where = f"{file}: {given.get('title', '?')}"
    body = {"correlation"} if "correlation" in given else {"logsource", "detection"}
    if unknown := given.keys() - _HEAD - body:
        raise RuleError(where, f"{min(unknown)!r} is not understood")
    head = _head(given, where, file)
    return _correlation(given["correlation"], head, where) if "correlation" in given else _rule(given, head, where)


def _head(given: dict[str, Any], where: str, file: str) -> Head:
    try:
        identity = str(uuid.UUID(str(given["id"])))
        level = Level(given["level"])
    except (KeyError, ValueError) as error:
        raise RuleError(where, f"no id that is a UUID, or no level: {error}") from error
    ours = given.get(OURS) or {}
    if unknown := ours.keys() - {"abuse", "cases", "control", "respond", "subject", "match", "pass"}:
        raise RuleError(where, f"{OURS} has {min(unknown)!r}")
    if missing := [name for name in ours.get("subject", ()) if name not in FIELDS]:
        raise RuleError(where, f"subject: there is no field {missing[0]!r}")
    return Head(
        id=identity,
        title=str(given.get("title", "")),
        description=" ".join(str(given.get("description", "")).split()),
        level=level,
        tags=tuple(map(str, given.get("tags", ()))),
        false_positives=tuple(map(str, given.get("falsepositives", ()))),
        name=str(given.get("name", "")),
        file=file,
        ours=Respond(
            abuse=tuple(map(str, ours.get("abuse", ()))),
            cases=tuple(map(str, ours.get("cases", ()))),
            control=tuple(map(str, ours.get("control", ()))),
            respond=" ".join(str(ours.get("respond", "")).split()),
            subject=tuple(ours.get("subject", ())),
            match=tuple(ours.get("match", ())),
            pass_=tuple(ours.get("pass", ())),
        ),
    )


def _rule(given: dict[str, Any], head: Head, where: str) -> Rule:
    source, detection = given.get("logsource") or {}, dict(given.get("detection") or {})
    key = (str(source.get("product", "")), str(source.get("service", "")))
    if key not in LOGSOURCES or source.keys() - {"product", "service", "definition"}:
        raise RuleError(where, f"logsource {source} is not known")
    condition = detection.pop("condition", None)
    if not isinstance(condition, str):
        raise RuleError(where, "a rule has one condition")
    try:
        selections = {str(name): selection(part) for name, part in detection.items()}
        return Rule(head, LOGSOURCES[key], parse(condition, selections))
    except (ConditionError, SelectionError, ValueError) as error:
        raise RuleError(where, str(error)) from error


def _correlation(given: dict[str, Any], head: Head, where: str) -> Correlation:
    if unknown := given.keys() - {"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"}:
        raise RuleError(where, f"correlation: {min(unknown)!r} is not understood")
    try:
        counting = Counting(given["type"])
        span = _SPAN.fullmatch(str(given["timespan"]))
        seconds = float(int(span[1]) * _SECONDS[span[2]]) if span else 0.0
    except (KeyError, ValueError) as error:
        raise RuleError(where, f"correlation: no type or no timespan: {error}") from error
    condition = dict(given.get("condition") or {})
    least, field = condition.pop("gte", None), str(condition.pop("field", ""))
    if "gt" in condition:
        least = condition.pop("gt") + 1
    counts = counting in {Counting.EVENTS, Counting.VALUES}
    if condition or seconds <= 0 or (counts and (not isinstance(least, int) or least < 1)):
        raise RuleError(where, "correlation: a timespan such as 5m, and a condition 'gte' are needed, and no other")
    rules, groups = tuple(map(str, given.get("rules") or ())), tuple(map(str, given.get("group-by") or ()))
    aliases = {str(name): dict(by) for name, by in (given.get("aliases") or {}).items()}
    named = {field} if counting is Counting.VALUES else set()
    named |= {name for name in groups if name not in aliases} | {
        name for by in aliases.values() for name in by.values()
    }
    if missing := sorted(name for name in named if name not in FIELDS):
        raise RuleError(where, f"correlation: there is no field {missing[0]!r}")
    if not rules:
        raise RuleError(where, "correlation: no rules")
    return Correlation(
        head,
        counting,
        rules,
        groups,
        seconds,
        least or len(rules),
        field,
        aliases,
        generate=bool(given.get("generate")),
    )


def _resolved(detections: list[Detection]) -> list[Detection]:
    """Correlations with ids in place of names.

    Raises:
        RuleError: one counts a rule that is not there.
    """
    rules = [detection for detection in detections if isinstance(detection, Rule)]
    ids = {rule.head.name: rule.head.id for rule in rules if rule.head.name} | {
        rule.head.id: rule.head.id for rule in rules
    }
    found: list[Detection] = []
    for detection in detections:
        if isinstance(detection, Rule):
            found.append(detection)
            continue
        if missing := [name for name in detection.rules if name not in ids]:
            raise RuleError(detection.head.file, f"correlation: there is no rule {missing[0]!r}")
        aliases = {
            name: {ids.get(rule, rule): field for rule, field in by.items()} for name, by in detection.aliases.items()
        }
        found.append(
            Correlation(
                detection.head, detection.counting, tuple(ids[name] for name in detection.rules), detection.group_by,
                detection.seconds, detection.least, detection.counted, aliases, detection.generate,
            )
        )  # fmt: skip
    return found
