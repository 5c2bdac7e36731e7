"""The generated tables of ``docs/event-schema.md``: what stored events consist of."""

from __future__ import annotations

from simulators.siem.fields import DATASETS, FIELDS


def fields_table() -> str:
    """Return the fields, in their order."""
    rows = [
        f"| `{field.name}` | {field.kind} | {'ours' if field.ours else 'ECS'} | {field.means} |"
        f" {f'`{field.key}`' if field.key else '-'} |"
        for field in FIELDS.values()
    ]
    return "\n".join(["| field | type | of | meaning | key |", "| --- " * 5 + "|", *rows, ""])


def datasets_table() -> str:
    """Return what ``event.dataset`` can be."""
    rows = [f"| `{dataset}` | {means} |" for dataset, means in DATASETS.items()]
    return "\n".join(["| dataset | what it is |", "| --- | --- |", *rows, ""])
