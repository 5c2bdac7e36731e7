"""The page on descriptions is complete, and its generated parts are fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.docs.topology import topology_page
from lab.topology.rules import RULES
from lab.topology.schema import topology_schema

PAGE = Path(__file__).resolve().parents[4] / "docs" / "topology.md"


def test_generated_parts_are_fresh() -> None:
    text = PAGE.read_text("utf-8")
    assert topology_page(text) == text, "run: python -m lab.docs"


def test_every_key_and_every_rule_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    schema = topology_schema()
    keys = [key for part in (schema, *schema["$defs"].values()) for key in part.get("properties", {})]
    assert [key for key in keys if f"| `{key}` |" not in text] == []
    assert [rule.__name__ for rule in RULES if f"| {rule.__name__.replace('_', ' ')} |" not in text] == []


def test_page_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no part named keys"):
        topology_page("# A page")
