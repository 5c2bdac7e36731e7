"""Programs that run on a host and are no command of it: sent there as text, so they use the standard library only."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def program(name: str) -> bytes:
    """The text of a program of this folder."""
    return (Path(__file__).parent / name).read_bytes()
