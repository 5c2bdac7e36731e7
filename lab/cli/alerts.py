"""``pacslab alerts``: what the repository's rules found, and the incidents that alerts of one actor make."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lab.cli import numbers
from lab.engine.lab import Lab
from lab.printable import printable

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

EXAMPLE = """
pacslab alerts
pacslab alerts --since 2026-01-05T00:00:00Z --json
pacslab alerts --level high --rule ports-scanned
pacslab alerts incidents
"""
LEVELS = ("informational", "low", "medium", "high", "critical")
"""From the mildest on."""
NOBODY = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is shown, and which of it."""
    parser.add_argument(
        "what", nargs="?", choices=("alerts", "incidents"), default="alerts", help="what is shown (default: alerts)"
    )
    parser.add_argument("--since", metavar="TIME", help="only what was received since then (RFC 3339)")
    parser.add_argument("--level", choices=LEVELS, default=LEVELS[0], help="only what is at least as grave")
    parser.add_argument("--rule", metavar="NAME", help="only of this rule")
    parser.add_argument("--limit", type=numbers.count, metavar="N", help="the newest ones (default: 10,000)")


def run(arguments: argparse.Namespace) -> int:
    """Show them: 0 also when there are none."""
    from lab.hospital.repository import Repository  # noqa: PLC0415 # --help needs none of it

    words = ["--since", arguments.since] if arguments.since else []
    words += ["--limit", str(arguments.limit)] if arguments.limit is not None else []
    found = Repository(Lab.open(arguments.lab)).lines(arguments.what, *words)
    least = LEVELS.index(arguments.level)
    wanted = [entry for entry in found if _level(entry) >= least and _has_rule(entry, arguments.rule)]
    if arguments.json:
        print(json.dumps(wanted, indent=1))
    elif arguments.what == "incidents":
        _table([("NUMBER", "LEVEL", "STATE", "SEEN", "LATEST", "BY", "WHAT"), *map(_incident, wanted)])
    else:
        _table([("RECEIVED", "LEVEL", "RULE", "HOST", "WHAT"), *map(_alert, wanted)])
    return 0


def _level(entry: dict[str, Any]) -> int:
    level = entry.get("level")
    return LEVELS.index(level) if level in LEVELS else len(LEVELS)


def _has_rule(entry: dict[str, Any], rule: str | None) -> bool:
    return rule is None or rule == entry.get("rule") or rule in entry.get("rules", ())


def _alert(entry: dict[str, Any]) -> tuple[str, ...]:
    fields = entry.get("fields", {})
    said = fields.get("summary") or fields.get("message") or NOBODY
    return tuple(map(_text, (entry["received"][:19], entry["level"], entry["rule"], entry["host"], said)))


def _incident(entry: dict[str, Any]) -> tuple[str, ...]:
    actor = entry["actor"]["value"]
    what = "; ".join(entry["titles"])
    head = (entry["number"], entry["level"], entry["state"], entry["count"], entry["last"][:19])
    return tuple(map(_text, (*head, actor, what)))


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[number]) for row in rows) for number in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _text(value: object) -> str:
    return printable(str(value)).replace("\n", "\\n").replace("\t", "\\t")
