"""Results as JUnit XML, the form that CI systems read."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from lab.results.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lab.results.model import Result

_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold (2.2), not even escaped."""


def write_junit(path: Path, name: str, results: Sequence[Result]) -> None:
    """Write a suite for each check or scenario among the results, a case for each result.

    A result that is skipped or does not apply is a skipped case with its reason: it is never counted as passed.
    """
    root = ET.Element("testsuites", name=name)
    suites: dict[str, list[Result]] = {}
    for result in results:
        suites.setdefault(result.id.partition(".")[0], []).append(result)
    for suite, members in suites.items():
        root.append(_suite(suite, members))
    ET.indent(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    ET.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _suite(name: str, members: Sequence[Result]) -> ET.Element:
    outcomes = [result.outcome for result in members]
    element = ET.Element(
        "testsuite",
        name=name,
        tests=str(len(members)),
        failures=str(outcomes.count(Outcome.FAILED)),
        errors=str(outcomes.count(Outcome.ERROR)),
        skipped=str(outcomes.count(Outcome.SKIPPED) + outcomes.count(Outcome.NOT_APPLICABLE)),
        time=f"{sum(result.seconds for result in members):.3f}",
    )
    element.extend(_case(result) for result in members)
    return element


def _case(result: Result) -> ET.Element:
    name = f"{result.id} [{result.subject}]" if result.subject else result.id
    case = ET.Element("testcase", classname=_text(result.host), name=_text(name), time=f"{result.seconds:.3f}")
    if result.outcome is Outcome.FAILED:
        _add(case, "failure", str(result), result)
    elif result.outcome is Outcome.ERROR:
        _add(case, "error", result.reason, result)
    elif result.outcome is not Outcome.PASSED:
        ET.SubElement(case, "skipped", message=_text(f"{result.outcome}: {result.reason}"))
    return case


def _add(case: ET.Element, kind: str, message: str, result: Result) -> None:
    element = ET.SubElement(case, kind, message=_text(message), type=result.outcome.value)
    read = [f"{observation.source}:\n{observation.text}" for observation in result.observations]
    element.text = _text("\n\n".join([result.promise, *read, result.remedy]))


def _text(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
