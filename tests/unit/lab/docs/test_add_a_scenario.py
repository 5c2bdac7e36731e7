"""The scenario that the page on adding one shows is found by being there, and runs as it stands."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

import lab.scenarios as package
from lab.engine.execute import Completed
from lab.results.model import Outcome
from lab.scenarios.registry import scenario
from lab.scenarios.run import has_passed, run_scenario
from tests.unit.lab.docs.pages import DOCS, files
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.scenarios.model import Scenario

PAGE = DOCS / "add-a-scenario.md"
SITE = committed_site("reference")
LINE = json.dumps({"program": "haproxy", "message": "accepted CT1"}) + "\n"


class Answering:
    """A lab whose scanner is answered as is said, and whose collector has a line of the archive's edge."""

    site = SITE

    def __init__(self, *, refused: bool) -> None:
        """Answer every C-ECHO like this."""
        self.refused = refused

    def run(self, host: str, argv: list[str], **_: Any) -> Completed:
        """Answer a command."""
        if "pacslab-misuse" in argv:
            answer = {"peer": "pacs-rad", "refused": self.refused, "detail": f"C-ECHO from {host}"}
            return Completed(0, json.dumps(answer), "")
        return Completed(0, LINE, "")


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scenario[Any]:
    """The page's scenario, laid down as it says."""
    for path, text in files(PAGE).items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "lab" / "scenarios")])
    return scenario("connectivity")


def outcomes(shown: Scenario[Any], *, refused: bool) -> list[Outcome]:
    watcher = SimpleNamespace(step_started=lambda *_: None)
    lab = cast("Lab", Answering(refused=refused))
    results = list(run_scenario(shown, shown.steps, lab, cast("Any", watcher)))
    assert has_passed(results) is not refused
    return [result.outcome for result in results]


def test_it_passes_where_the_archive_answers(shown: Scenario[Any]) -> None:
    assert outcomes(shown, refused=False) == [Outcome.PASSED, Outcome.PASSED]


def test_it_fails_where_the_archive_refuses_and_skips_what_needs_the_answer(shown: Scenario[Any]) -> None:
    assert outcomes(shown, refused=True) == [Outcome.FAILED, Outcome.SKIPPED]


def test_it_is_for_the_reference_site(shown: Scenario[Any]) -> None:
    assert shown.unfit(SITE) == []
