"""What somebody can decide on work that was set aside, or messages that were refused, as arguments of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

SETTLED = {"retry": "try again what was set aside or refused", "drop": "give it up"}
"""The decisions, and what each does."""


def settling_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an argument for each decision; it takes the number of what is meant."""
    for what, text in SETTLED.items():
        parser.add_argument(f"--{what}", type=int, metavar="ID", help=text)
