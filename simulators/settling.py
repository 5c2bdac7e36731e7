"""What somebody can decide on messages of an outbox that were set aside or refused, as arguments of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

SETTLED = {"retry": "send a message that was set aside or refused again", "drop": "give such a message up"}
"""The decisions, and what each does."""


def settling_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an argument for each decision; it takes the message's number."""
    for what, text in SETTLED.items():
        parser.add_argument(f"--{what}", type=int, metavar="ID", help=text)
