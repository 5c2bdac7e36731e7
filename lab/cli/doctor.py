"""``pacslab doctor``: what is left over on this machine, and how to clear it."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from lab.engine.client import Docker
from lab.engine.images import Images
from lab.operate.left_over import examine
from lab.operate.ownership import others
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab doctor
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Doctor has the common arguments only."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Print what is left over; 0 when there is nothing, 1 when there is."""
    settings, docker = load_settings(), Docker()
    found = list(examine(settings, docker, Images()))
    elsewhere = others(docker, settings.state)
    if arguments.json:
        named = [{"lab": lab, "folder": str(folder)} for lab, folder in elsewhere.items()]
        print(json.dumps({"left_over": [asdict(leftover) for leftover in found], "others": named}))
    elif not found:
        print("Nothing is left over.")
    for entry in [] if arguments.json else found:
        print(f"{entry.kind} {entry.name}: {entry.why}\n    {entry.clear}")
    for lab, folder in () if arguments.json else elsewhere.items():
        print(f"not of this state: lab {lab}, whose files are in {folder}")
    return 1 if found else 0
