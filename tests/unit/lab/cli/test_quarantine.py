"""What archives hold is listed together; a decision goes to one archive, and its refusal is told with its exit code."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from lab.cli import quarantine
from lab.engine.execute import Completed
from tests.unit.lab.cli.command import run_verb
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")


class Archives:
    """Stand in for a lab whose archives hold something, and answer as they are told to."""

    site = SITE

    def __init__(self) -> None:
        """Hold one object in pacs-rad."""
        self.ran: list[tuple[str, list[str]]] = []
        self.answer = Completed(0, json.dumps({"released": ["1.2.3.4"], "discarded": ["1.2.3.4"]}), "")

    def run(self, host: str, argv: list[str], **_: Any) -> Completed:
        """Answer pacslab-image-manager."""
        self.ran.append((host, argv))
        if argv[1] != "quarantine":
            return self.answer
        entry = {
            "id": 3, "at": "2026-03-01T02:00:00+00:00", "reason": "unscheduled", "ae_title": "CT1", "patient": "P9",
            "accession": "", "study": "1.2.3", "series": "1.2.3.1", "instance": "1.2.3.4",
        }  # fmt: skip
        return Completed(0, json.dumps([entry] if host == "pacs-rad" else []), "")


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Archives:
    lab = Archives()
    monkeypatch.setattr(quarantine, "Lab", SimpleNamespace(open=lambda _: lab))
    return lab


def test_what_every_archive_holds_is_listed(lab: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    ran = run_verb(capsys, "quarantine")
    assert ran.code == 0
    assert [host for host, _ in lab.ran] == ["pacs-card", "pacs-rad", "vna1"]
    header, row = ran.out.splitlines()
    assert header.split()[:4] == ["ARCHIVE", "ID", "AT", "REASON"]
    assert row.split()[:2] == ["pacs-rad", "3"]
    (entry,) = run_verb(capsys, "quarantine", "list", "pacs-rad", "--json").json
    assert (entry["archive"], entry["reason"], entry["instance"]) == ("pacs-rad", "unscheduled", "1.2.3.4")
    assert "Nothing is held" in run_verb(capsys, "quarantine", "list", "vna1").out


def test_a_decision_goes_to_its_archive(lab: Archives, capsys: pytest.CaptureFixture[str]) -> None:
    assert "released 1 objects" in run_verb(capsys, "quarantine", "release", "pacs-rad", "3", "4").out
    assert lab.ran[-1] == ("pacs-rad", ["pacslab-image-manager", "release", "3", "4", "--json"])
    ran = run_verb(capsys, "quarantine", "discard", "pacs-rad", "--study", "1.2.3", "--json")
    assert ran.json == {"archive": "pacs-rad", "discarded": ["1.2.3.4"]}
    assert lab.ran[-1][1][1:4] == ["discard", "--study", "1.2.3"]


@pytest.mark.parametrize(("answered", "code"), [(1, 1), (2, 2), (3, 3), (4, 3)])
def test_what_the_archive_says_no_to_is_told(
    lab: Archives, capsys: pytest.CaptureFixture[str], answered: int, code: int
) -> None:
    lab.answer = Completed(answered, json.dumps({"message": "the archive has study 1.2.3 of patient P1"}), "")
    ran = run_verb(capsys, "quarantine", "release", "pacs-rad", "3")
    assert ran.code == code
    assert "patient P1" in ran.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list", "ris1"), "is no archive"),
        (("list", "pacs-rad", "3"), "an archive alone"),
        (("release",), "needs an archive"),
        (("release", "pacs-rad"), "needs an archive"),
        (("release", "pacs-rad", "x"), "is no number"),
        (("burn",), "invalid choice"),
    ],
)
@pytest.mark.usefixtures("lab")
def test_words_that_mean_nothing_are_told(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    ran = run_verb(capsys, "quarantine", *words)
    assert ran.code == 2
    assert said in ran.err
