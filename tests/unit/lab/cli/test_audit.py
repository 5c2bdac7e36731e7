"""The repository is asked on its host; its proof is by what other hosts and this machine have kept."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from lab.cli import audit
from lab.engine.execute import Completed
from lab.hospital.repository import HEADS, KEPT, repository_of
from tests.unit.lab.cli.command import run_verb
from tests.unit.site_builder import committed_site

if TYPE_CHECKING:
    from pathlib import Path

SITE = committed_site("third-party-devices")
CENTRE = repository_of(SITE)
SENDER = next(name for name in SITE.managed if name != CENTRE)
PROOF: dict[str, Any] = {
    "records": 12, "batches": 4, "dropped": 0, "position": 12, "checkpoints": 2,
    "last": {"number": 4, "head": "0b", "holder": ""}, "fault": None, "key": "aa",
}  # fmt: skip
FAULT = {"kind": "changed", "position": 7, "batch": 3, "says": "record 7 is not as it was stored"}


class Hospital:
    """Stand in for a lab in which a sender has kept a head, and whose repository answers as it is told to."""

    site = SITE

    def __init__(self, folder: Path) -> None:
        """Answer with a proof."""
        self.folder = folder
        self.answer = Completed(0, json.dumps(PROOF), "")
        self.asked: list[tuple[list[str], Any]] = []

    def run(self, host: str, argv: list[str], **options: Any) -> Completed:
        """Answer as the hosts do."""
        if argv == ["cat", *HEADS]:
            return Completed(1, "3 0a\n1 0c 0\n3 0a\n", "") if host == SENDER else Completed(1, "", "no such file")
        assert host == CENTRE
        self.asked.append((argv, json.loads(options["input"]) if "input" in options else None))
        return self.answer


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Hospital:
    lab = Hospital(tmp_path)
    monkeypatch.setattr(audit, "Lab", SimpleNamespace(open=lambda _: lab))
    return lab


def test_a_proof_takes_what_senders_have_kept_and_keeps_its_own_end(
    lab: Hospital, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verb(capsys, "audit", "verify").code == 0
    run_verb(capsys, "audit", "verify", "--json")
    (_, first), (argv, second) = lab.asked
    assert argv == ["pacslab-siem", "verify", "--kept"]
    of_ct1 = [{"number": number, "head": head, "holder": SENDER} for number, head in ((3, "0a"), (1, "0c"))]
    own = {"number": 4, "head": "0b", "holder": "this machine"}
    assert first == {"key": "", "checkpoints": of_ct1}
    assert second == {"key": "aa", "checkpoints": [own, *of_ct1]}  # the key that was seen first


def test_a_fault_is_told_and_nothing_is_kept_of_it(lab: Hospital, capsys: pytest.CaptureFixture[str]) -> None:
    lab.answer = Completed(1, json.dumps({**PROOF, "fault": FAULT}), "")
    ran = run_verb(capsys, "audit", "verify")
    assert (ran.code, ran.out) == (1, "changed: record 7 is not as it was stored\n")
    assert not (lab.folder / KEPT).exists()


def test_events_are_shown_a_line_each_and_hostile_text_is_harmless(
    lab: Hospital, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = {"@timestamp": "2026-01-05T09:12:44.310Z", "host.name": "ct1", "user.name": "a\x1b[2J\nb"}
    entry = {"position": 1, "received": "2026-01-05T09:12:45+00:00", "fields": fields}
    lab.answer = Completed(0, f"{json.dumps(entry)}\n", "")
    ran = run_verb(
        capsys, "audit", "show", "--accession", "A1", "--person", "a", "--limit", "5", "--since", "2026-01-05"
    )
    assert lab.asked[0][0][1:] == [
        "show",
        "--accession",
        "A1",
        "--person",
        "a",
        "--since",
        "2026-01-05",
        "--limit",
        "5",
    ]
    header, row = ran.out.splitlines()
    assert header.split()[:2] == ["TIME", "HOST"]
    assert "\x1b" not in row
    assert run_verb(capsys, "audit", "show", "--study", "1.2", "--json").json == [entry]


@pytest.mark.parametrize("words", [["show"], ["verify", "--patient", "P1"], ["senders", "--limit", "3"]])
def test_what_cannot_be_meant_is_refused(lab: Hospital, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    assert run_verb(capsys, "audit", *words).code == 2
    assert lab.asked == []


def test_a_repository_that_does_not_answer_is_told(lab: Hospital, capsys: pytest.CaptureFixture[str]) -> None:
    lab.answer = Completed(4, "", "error: no database")
    for words in (["verify"], ["senders"]):
        ran = run_verb(capsys, "audit", *words)
        assert ran.code == 3
        assert "no database" in ran.err
