"""The generated table of ``docs/abuse.md``: every abuse case, what stops it, and how that is switched off."""

from __future__ import annotations

from lab.abuse.registry import cases


def cases_table() -> str:
    """Return the table of cases, by id."""
    rows = [
        f"| `{case.id}` | {case.title} | {case.control} | {'; '.join(way.text for way in case.weakenings)} |"
        for _, case in sorted(cases().items())
    ]
    head = "| id | what is tried | what stops it | how that is switched off for a trial |"
    return "\n".join([head, "| --- | --- | --- | --- |", *rows, ""])
