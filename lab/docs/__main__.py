"""``python -m lab.docs`` writes every generated page."""

from __future__ import annotations

from pathlib import Path

from lab.docs.roles import role_pages

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Write the pages and remove those of roles that are gone."""
    folder = ROOT / "docs" / "roles"
    pages = role_pages()
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    for name, text in pages.items():
        (folder / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
