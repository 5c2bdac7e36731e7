"""``pacslab schema``: the JSON Schema of ``topology.yml``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.topology.schema import schema_text

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab schema > topology.schema.json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Schema has the common arguments only; the schema is one for all sites, and always JSON."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print the schema."""
    del arguments
    print(schema_text(), end="")
    return 0
