"""Role pages say what the roles' own files say."""

from __future__ import annotations

from pathlib import Path

from lab.docs.roles import role_pages

DOCS = Path(__file__).resolve().parents[4] / "docs" / "roles"


def test_every_role_has_a_page_that_is_not_stale() -> None:
    written = {path.name: path.read_text("utf-8") for path in DOCS.glob("*.md")}
    assert written == role_pages(), "run `make docs`"


def test_every_role_of_the_repository_has_a_page() -> None:
    roles = {path.name for path in (DOCS.parents[1] / "roles").iterdir() if path.is_dir()}
    assert {f"{role}.md" for role in roles} | {"README.md"} == set(role_pages())
