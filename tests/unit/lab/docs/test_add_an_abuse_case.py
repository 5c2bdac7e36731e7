"""The abuse case that the page on adding one shows is found by being there, is linted like all others, and holds."""

from __future__ import annotations

import base64
import importlib
import json
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

import lab.abuse.cases as case_package
import simulators.misuse.cases as misuse_package
from lab.abuse.halves import Half, as_shipped, without_control
from lab.abuse.registry import cases
from lab.abuse.scene import Scene
from lab.abuse.weakening import EditedFiles
from lab.docs.abuse import cases_table
from lab.engine.execute import Completed
from lab.hospital.hospital import Hospital
from lab.results.model import ID
from simulators.misuse.registry import cases as misuse_cases
from tests.unit.lab.docs.pages import DOCS, files
from tests.unit.roles.rendered import REFERENCE, files_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lab.abuse.model import AbuseCase
    from lab.engine.lab import Lab

PAGE = DOCS / "add-an-abuse-case.md"
NAME = "abuse.dicomweb-native"


class Answering:
    """A lab whose edge lets a request through or not, and whose collector has the line of one that was refused."""

    site = REFERENCE

    def __init__(self, *, control: bool) -> None:
        """Switch the edge's control on or off."""
        self.control = control

    def run(self, host: str, argv: list[str], **_: Any) -> Completed:
        """Answer a command of a workstation, or what the collector keeps."""
        if "pacslab-misuse" in argv:
            body = "" if self.control else '{"ApiVersion": 30}'
            answer = {"refused": self.control, "layer": "http", "detail": "status", "facts": {"body": body}}
            return Completed(0, json.dumps({**answer, "control": {"refused": False, "detail": "status 200"}}), "")
        assert host == "siem1"
        if "parts" not in argv:
            return Completed(0, "", "")
        event = {"outcome": "refused", "reason": "not-permitted", "peer": "ws-rad1"}
        line = json.dumps({"program": "haproxy", "message": json.dumps(event), "data": event}) + "\n"
        return Completed(0, f"1.1 {base64.b64encode(line.encode()).decode()}\n", "")


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AbuseCase]:
    """The page's case, laid down as it says."""
    for path, text in files(PAGE).items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    for package in (case_package, misuse_package):
        folder = tmp_path / package.__name__.replace(".", "/")
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield cases()[NAME]
    for module in set(sys.modules) - before:
        if module.startswith((case_package.__name__, misuse_package.__name__)):
            del sys.modules[module]


def half(shown: AbuseCase, *, control: bool, weakened: bool) -> Half:
    scene = Scene(Hospital(cast("Lab", Answering(control=control))), shown.parties(REFERENCE))
    return (without_control if weakened else as_shipped)(shown, scene)


def test_it_is_found_and_named_like_a_result(shown: AbuseCase) -> None:
    assert ID.match(shown.id)
    assert "dicomweb-native" in misuse_cases("dicomweb-native")
    assert f"| `{NAME}` |" in cases_table()


def test_what_it_switches_off_is_there_to_be_switched_off(shown: AbuseCase) -> None:
    parties = shown.parties(REFERENCE)
    (weakening,) = shown.weakenings
    assert isinstance(weakening, EditedFiles)
    text = files_of(REFERENCE, parties.target, "dicomweb_edge")[weakening.edits[0].path].text
    for edit in weakening.edits:
        assert edit.applied_to(text) != text


def test_it_is_proven_where_the_control_stops_it_and_nothing_else_does(shown: AbuseCase) -> None:
    assert half(shown, control=True, weakened=False).good
    assert half(shown, control=False, weakened=True).good


def test_it_fails_where_the_control_is_off_as_shipped_or_something_else_stops_it_too(
    shown: AbuseCase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lab.abuse.halves.DONE_WITHIN", 0.0)
    assert not half(shown, control=False, weakened=False).good
    assert not half(shown, control=True, weakened=True).good
