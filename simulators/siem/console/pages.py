"""Pages of templates: whatever is put into one is text, and seen as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from simulators.printable import printable
from simulators.siem.console.masking import OF_PATIENTS

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).parent
LONGEST = 300
"""Characters of a value in a table; a record alone shows it whole."""


def environment() -> Environment:
    """Return what makes pages."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"when": when, "ago": ago, "brief": brief, "number": number}
    made.globals |= {"OF_PATIENTS": sorted(OF_PATIENTS)}
    return made


def _visible(value: Any) -> Any:
    """Write out control and format characters: nothing turns what follows around, or is not there to see."""
    if value is None:
        return ""
    if isinstance(value, Markup) or not isinstance(value, str):
        return value
    return printable(value)


def when(value: datetime | str | None) -> str:
    """Return a time for people, in UTC: ``2026-01-05 09:12:44``."""
    if value is None or value == "":
        return ""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):  # as a host told it
        return str(value)


def ago(value: datetime | None) -> str:
    """Return how long ago it was."""
    if value is None:
        return ""
    seconds = max(0, int((datetime.now(UTC) - value).total_seconds()))
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word} ago"
    return f"{seconds} s ago"


def brief(value: object) -> str:
    """Return a value for a table."""
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def number(value: float | None) -> Markup:
    """Return a number with its thousands apart."""
    return Markup("" if value is None else f"{value:,.0f}".replace(",", "&#8239;"))  # noqa: S704 - digits


class Pages:
    """Makes pages."""

    def __init__(self, common: Mapping[str, Any]) -> None:
        """Make pages that all have this."""
        self._environment = environment()
        self._common = dict(common)

    def page(self, name: str, **values: Any) -> str:
        """Return a page."""
        return self._environment.get_template(name).render(self._common | values)
