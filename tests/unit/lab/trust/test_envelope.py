"""The sealed envelope: each opening is on record, and what was opened is worth nothing once it is sealed again."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from lab.errors import UsageError
from lab.state_file import DamagedFileError
from lab.trust.envelope import (
    NOBODY,
    PRINCIPAL,
    RECORD,
    ensure_sealed,
    is_open,
    open_envelope,
    record,
    seal_envelope,
)
from lab.trust.files import TrustError

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def pki(tmp_path: Path) -> Path:
    ensure_sealed(tmp_path, used=True, now=NOW)
    return tmp_path


def test_what_is_sealed_cannot_be_guessed_and_is_for_its_owner_alone(pki: Path) -> None:
    principal = (pki / PRINCIPAL).read_text().strip()
    assert len(principal.removeprefix("emergency-")) == 32
    assert (pki / PRINCIPAL).stat().st_mode & 0o777 == (pki / RECORD).stat().st_mode & 0o777 == 0o600
    assert not is_open(record(pki))


def test_it_is_sealed_once(pki: Path) -> None:
    before = (pki / PRINCIPAL).read_bytes(), (pki / RECORD).read_bytes()
    ensure_sealed(pki, used=True, now=NOW)
    assert before == ((pki / PRINCIPAL).read_bytes(), (pki / RECORD).read_bytes())


def test_where_nobody_signs_in_hosts_get_what_lets_nobody_in(tmp_path: Path) -> None:
    ensure_sealed(tmp_path, used=False, now=NOW)
    assert (tmp_path / PRINCIPAL).read_text() == NOBODY
    with pytest.raises(TrustError, match="no sealed envelope"):
        record(tmp_path)
    ensure_sealed(tmp_path, used=True, now=NOW)
    assert not is_open(record(tmp_path))


def test_opening_is_on_record_with_who_why_and_where(pki: Path) -> None:
    principal = open_envelope(pki, "anna", "the sign-on does not start", "idp1", NOW)
    assert principal == (pki / PRINCIPAL).read_text().strip()
    found = record(pki)[-1]
    assert (found.what, found.by, found.reason, found.host) == ("opened", "anna", "the sign-on does not start", "idp1")
    assert found.at == NOW.timestamp()
    assert is_open(record(pki))


def test_sealed_again_it_has_another_secret(pki: Path) -> None:
    before = open_envelope(pki, "anna", "x", "idp1")
    seal_envelope(pki, "anna")
    assert (pki / PRINCIPAL).read_text().strip() != before
    assert [entry.what for entry in record(pki)] == ["sealed", "opened", "sealed"]
    assert not is_open(record(pki))


@pytest.mark.parametrize("reason", ["", " ", "two\nlines", "\x1b[2J", "x" * 101])
def test_without_a_reason_that_can_stand_in_a_log_it_stays_sealed(pki: Path, reason: str) -> None:
    with pytest.raises(UsageError, match="no reason to open"):
        open_envelope(pki, "anna", reason, "idp1")
    assert not is_open(record(pki))


def changed(line: str, **facts: str) -> str:
    return json.dumps(json.loads(line) | facts, sort_keys=True)


@pytest.mark.parametrize("spoil", ["take out", "change", "add", "swap", "cut", "empty", "other envelope"])
def test_a_record_that_was_changed_is_told(pki: Path, spoil: str) -> None:
    open_envelope(pki, "anna", "one", "idp1")
    seal_envelope(pki, "anna")
    open_envelope(pki, "anna", "two", "db1")
    seal_envelope(pki, "anna")
    lines = (pki / RECORD).read_text().splitlines()
    match spoil:
        case "take out":
            del lines[1]
        case "change":
            lines[1] = changed(lines[1], reason="nothing")
        case "add":
            lines.insert(2, lines[1])
        case "swap":
            lines[1], lines[2] = lines[2], lines[1]
        case "cut":
            lines = lines[:3]
        case "empty":
            lines = []
        case _:
            (pki / PRINCIPAL).write_text("emergency-" + "0" * 32 + "\n")
    (pki / RECORD).write_text("".join(f"{line}\n" for line in lines))
    with pytest.raises(DamagedFileError):
        record(pki)
    with pytest.raises(DamagedFileError):
        open_envelope(pki, "anna", "three", "db1")
