"""Programs that a measurement sends to a host as text; standard library only."""

from __future__ import annotations

from pathlib import Path


def program(name: str) -> bytes:
    """The text of a program of this folder."""
    return (Path(__file__).parent / name).read_bytes()
