"""The generated table of ``docs/drills.md``: every drill, what is noticed, how it is repaired, and what is counted."""

from __future__ import annotations

from lab.drills.registry import drills


def drills_table() -> str:
    """Return the table of drills, by id."""
    rows = [
        f"| `{drill.id}` | {drill.title} | {drill.noticed.text}, within {drill.noticed.within:g} s "
        f"| {drill.repair.text}; healthy within {drill.repair.within:g} s | {drill.counted} |"
        for _, drill in sorted(drills().items())
    ]
    return "\n".join(["| id | fault | noticed | repair | counted |", "| --- | --- | --- | --- | --- |", *rows, ""])
