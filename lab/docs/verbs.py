"""The generated table of ``docs/index.md``: the verbs of ``pacslab``, each with its page."""

from __future__ import annotations

from lab.cli.main import VERBS


def verbs_table() -> str:
    """Return the table of verbs, in the order in which ``pacslab --help`` lists them."""
    rows = [f"| [`{verb}`]({verb}.md) | {summary} |" for verb, summary in VERBS.items()]
    return "\n".join(["| verb | what it does |", "| --- | --- |", *rows, ""])
