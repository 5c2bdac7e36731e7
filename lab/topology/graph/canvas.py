"""Write SVG elements, every text and attribute escaped."""

from __future__ import annotations

from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class Canvas:
    """Collects elements in drawing order. Attribute names are written with underscores for hyphens."""

    def __init__(self) -> None:
        """Begin with nothing drawn."""
        self.lines: list[str] = []
        self._depth = 1

    def add(self, tag: str, text: str | None = None, /, **attributes: str | float) -> None:
        """Add one element."""
        content = "/>" if text is None else f">{escape(text, quote=False)}</{tag}>"
        self._write(f"<{tag}{_attributes(attributes)}{content}")

    @contextmanager
    def group(self, title: str = "", **attributes: str | float) -> Iterator[None]:
        """Draw what follows as one group; viewers show the title when the pointer rests on it."""
        self._write(f"<g{_attributes(attributes)}>")
        self._depth += 1
        if title:
            self.add("title", title)
        yield
        self._depth -= 1
        self._write("</g>")

    def _write(self, line: str) -> None:
        self.lines.append("  " * self._depth + line)


def number(value: float) -> str:
    """Write a coordinate in the shortest way."""
    return f"{value:.1f}".removesuffix(".0")


def _attributes(attributes: dict[str, str | float]) -> str:
    written = ""
    for name, value in attributes.items():
        text = value if isinstance(value, str) else number(value)
        written += f' {name.rstrip("_").replace("_", "-")}="{escape(text)}"'
    return written
