"""The generated table of ``docs/limits.md``: known weaknesses of the parts, as the register has them."""

from __future__ import annotations

from lab.assets.known import Known, load_known


def weaknesses_table() -> str:
    """Return the table, a row for each entry, in the order of the register."""
    rows = [_row(known) for known in load_known()]
    return "\n".join(["| part | what | severity | response |", "| --- " * 4 + "|", *rows, ""])


def _row(known: Known) -> str:
    weakness = known.weakness
    versions = ", ".join(f"`{entry.name}` `{entry.versions.replace('|', ' and ')}`" for entry in weakness.affects)
    score = weakness.severity if weakness.cvss is None else f"{weakness.severity} ({weakness.cvss})"
    response = weakness.response
    told = "none yet" if response is None else f"{response.answer}, {response.date}: {response.reason}"
    return f"| {known.part} | {', '.join(weakness.ids)}, in {versions}: {weakness.what} | {score} | {told} |"
