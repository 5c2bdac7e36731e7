"""The generated tables of ``docs/event-schema.md``: what stored events consist of."""

from __future__ import annotations

from simulators.siem.fields import DATASETS, FIELDS
from simulators.siem.parse.table import READERS, WORDS


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


def lines_table() -> str:
    """Return what the actions of lines mean that are no event of ours."""
    rows = [f"| `{word}` | {means} |" for word, means in sorted(WORDS.items())]
    return "\n".join(["| action | what it is |", "| --- | --- |", *rows, ""])


def programs_table() -> str:
    """Return whose lines are read, and by which module."""
    modules: dict[str, list[str]] = {}
    for program, reader in READERS.items():
        modules.setdefault(reader.__module__.rpartition(".")[2], []).append(f"`{program}`")
    rows = [f"| {', '.join(sorted(programs))} | `{module}.py` |" for module, programs in sorted(modules.items())]
    return "\n".join(["| program | read by |", "| --- | --- |", *rows, ""])
