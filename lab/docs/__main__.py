"""``python -m lab.docs`` writes every generated page."""

from __future__ import annotations

from lab.docs.pages import ROLES, generated


def main() -> None:
    """Write the pages and remove those of roles that are gone."""
    pages = generated()
    for path in ROLES.glob("*.md"):
        if path not in pages:
            path.unlink()
    ROLES.mkdir(exist_ok=True)
    for path, text in pages.items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
