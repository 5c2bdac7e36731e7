"""Files that are replaced in one step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lab.atomic_write import atomic_write


@pytest.mark.parametrize("content", ["grün\n", b"\x00\xff"])
@pytest.mark.parametrize("durable", [True, False])
def test_text_and_bytes_arrive_and_no_draft_is_left(tmp_path: Path, content: str | bytes, *, durable: bool) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    atomic_write(path, content, durable=durable)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else content)
    assert list(tmp_path.iterdir()) == [path]


def test_until_it_is_complete_a_reader_sees_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    seen: list[str] = []
    replace = Path.replace

    def look_and_replace(draft: Path, target: Path) -> Path:
        seen.append(path.read_text())
        assert draft.read_text() == "new"
        return replace(draft, target)

    monkeypatch.setattr(Path, "replace", look_and_replace)
    atomic_write(path, "new")
    assert seen == ["old"]
    assert path.read_text() == "new"


def test_a_private_file_is_never_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "key"
    draft = tmp_path / ".key.new"
    draft.write_text("of a process that was killed")
    draft.chmod(0o644)
    before = os.umask(0)
    try:
        atomic_write(path, b"secret", mode=0o600)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_that_somebody_put_in_the_way_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("untouched")
    (tmp_path / ".a.new").symlink_to(other)
    atomic_write(tmp_path / "a", "new")
    assert other.read_text() == "untouched"
    assert (tmp_path / "a").read_text() == "new"
