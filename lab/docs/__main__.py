"""``python -m lab.docs`` writes every generated page."""

from __future__ import annotations

from pathlib import Path

from lab.docs.roles import role_pages
from lab.docs.topology import topology_page
from lab.topology.schema import SCHEMA_PATH, schema_text

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
    SCHEMA_PATH.write_text(schema_text(), "utf-8")
    page = ROOT / "docs" / "topology.md"
    page.write_text(topology_page(page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
