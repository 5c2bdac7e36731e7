"""The scenarios there are, by name."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from lab.errors import UsageError

if TYPE_CHECKING:
    from lab.scenarios.model import Scenario

MODULES = ("radiology_workflow", "small_practice_workflow")
"""Modules of this folder that hold a scenario, each as ``SCENARIO``."""


def scenarios() -> dict[str, Scenario]:
    """Every scenario, by name."""
    found = [import_module(f"lab.scenarios.{module}").SCENARIO for module in MODULES]
    return {scenario.name: scenario for scenario in found}


def scenario(name: str) -> Scenario:
    """The scenario of a name.

    Raises:
        UsageError: there is none.
    """
    known = scenarios()
    if name not in known:
        raise UsageError(f"There is no scenario {name!r}.", remedy=f"There are: {', '.join(known)}.")
    return known[name]
