"""The drill that the page on adding one shows is found by being there, and fits the reference site."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lab.drills import cases as package
from lab.drills.registry import drills
from tests.unit.lab.docs.pages import DOCS, files
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

    from lab.drills.model import Drill

PAGE = DOCS / "add-a-drill.md"
SITE = committed_site("reference")


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Drill:
    """The page's drill, laid down as it says."""
    for path, text in files(PAGE).items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / "lab" / "drills" / "cases")])
    return drills()["drill.stopped-database"]


def test_it_is_about_every_database_server_of_the_reference_site(shown: Drill) -> None:
    assert [str(subject) for subject in shown.subjects(SITE)] == ["db1 postgresql@17-main.service"]


def test_it_counts_orders(shown: Drill) -> None:
    (subject,) = shown.subjects(SITE)
    assert [type(load).__name__ for load in shown.loads(SITE, subject)] == ["Orders"]


def test_it_is_listed_with_what_is_noticed_and_how_it_is_repaired(shown: Drill) -> None:
    assert shown.promise.id == "drill.stopped-database"
    assert (shown.noticed.within, shown.repair.within) == (20.0, 120.0)
