"""What a step reports when it observed something other than what it expects."""

from __future__ import annotations


class StepFailure(Exception):  # noqa: N818 - it is what a step reports, not an error of the program
    """A step observed something other than what it expects; the text says what was observed."""
