"""What a drill finds out only on the host: that the fault cannot be made there."""

from __future__ import annotations


class UnfitError(Exception):
    """The subject has nothing at which the fault could be made; the text says what it lacks."""
