"""The generated table of ``docs/audit-and-monitoring.md``: every abuse, with the rule that notices it."""

from __future__ import annotations

from lab.scenarios.monitoring.deeds import deeds


def deeds_table() -> str:
    """Return the table of abuses, in the order in which they are committed."""
    rows = [
        f"| `{deed.id}` | {deed.title} | `{deed.rule}` | {deed.within:g} s | {'yes' if deed.lines else 'no'} |"
        for deed in deeds()
    ]
    return "\n".join(["| step | what is done | rule | alert within | needs lines |", "| --- " * 5 + "|", *rows, ""])
