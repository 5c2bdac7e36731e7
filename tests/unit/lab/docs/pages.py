"""What stands on the documentation's pages: files, fragments of descriptions, commands, links."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import yaml

from lab.settings import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
_FILE = re.compile(r"^`([\w./-]+)`[^\n]*:\n\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SECTIONS = {"zones", "hosts", "flows"}


def files(page: Path) -> dict[str, str]:
    """Return the files that a page shows: a line begins with the path in code marks, and a block follows."""
    return dict(_FILE.findall(page.read_text("utf-8")))


def blocks(page: Path) -> list[str]:
    """Return the YAML blocks of a page."""
    return _YAML.findall(page.read_text("utf-8"))


def fragments(page: Path) -> list[str]:
    """Return the blocks that are parts of a site's description."""
    return [text for text in blocks(page) if isinstance(data := yaml.safe_load(text), dict) and set(data) <= _SECTIONS]


def extended(fragment: str, site: Path) -> Path:
    """Put a fragment's lines, as they stand, under the sections of a site's description that they belong to."""
    text = site.read_text("utf-8")
    for section, lines in re.findall(r"^(\w+):\n((?:^(?:  .*)?\n)+)", fragment, re.MULTILINE):
        assert text.count(f"\n{section}:\n") == 1
        text = text.replace(f"\n{section}:\n", f"\n{section}:\n{lines}")
    site.write_text(text, "utf-8")
    return site


def title(text: str) -> str:
    """Return the anchor that a heading has, as forges make it."""
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, code blocks left out."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {title(heading) for heading in re.findall(r"^#+ (.*)$", text, re.MULTILINE)}
