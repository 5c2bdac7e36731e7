"""``pacslab down``: remove a lab."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from lab.engine.client import Docker
from lab.engine.lock import locked
from lab.operate.take_down import take_down
from lab.settings import load_settings

if TYPE_CHECKING:
    import argparse

EXAMPLE = """
pacslab down
pacslab down --lab other
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Down has the common arguments only."""
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Remove the lab; 0 also when there was none, so that cleaning up can be repeated."""
    settings = load_settings()
    settings.lab_folder(arguments.lab)
    with locked(settings.state, arguments.lab):
        removed = take_down(settings, Docker(), arguments.lab)
    if arguments.json:
        print(json.dumps({"lab": arguments.lab, **asdict(removed)}))
    elif removed.anything:
        print(f"{arguments.lab}: removed ({len(removed.containers)} containers). Snapshots and images stay.")
    else:
        print(f"{arguments.lab}: there was nothing to remove.")
    return 0
