"""What tests of rules look at in them."""

from __future__ import annotations

from typing import Any

from simulators.siem.sigma.model import AllOf, Comparison, Not, OneOf


def comparisons(node: Any) -> list[Comparison]:
    """Return every comparison of a rule."""
    if isinstance(node, Comparison):
        return [node]
    if isinstance(node, Not):
        return comparisons(node.part)
    return [test for part in node.parts for test in comparisons(part)] if isinstance(node, AllOf | OneOf) else []
