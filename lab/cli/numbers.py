"""Numbers on the command line: each kind with its bounds, so that a wrong one is told before anything begins."""

from __future__ import annotations

import argparse
import math
from typing import TypeVar

N = TypeVar("N", int, float)
LONGEST = 7 * 24 * 3600
"""Seconds in a week: whoever waits longer has mistyped."""
LAST_PORT = (1 << 16) - 1


def seconds(text: str) -> float:
    """A time to wait: more than none, and an end to it."""
    value = _number(text, float)
    if not (math.isfinite(value) and 0 < value <= LONGEST):
        raise argparse.ArgumentTypeError(f"{text!r} is no time to wait: give seconds, from more than 0 to {LONGEST}")
    return value


def port(text: str) -> int:
    """A TCP port."""
    value = _number(text, int)
    if not 0 < value <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: give 1 to {LAST_PORT}")
    return value


def count(text: str) -> int:
    """How many: one or more."""
    value = _number(text, int)
    if not 0 < value < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text!r} is no count: give 1 or more")
    return value


def _number(text: str, kind: type[N]) -> N:
    try:
        return kind(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from error
