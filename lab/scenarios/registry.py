"""The scenarios there are: packages of this folder that have a module ``scenario``, found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import lab.scenarios as package
from lab.errors import UsageError

if TYPE_CHECKING:
    from lab.scenarios.model import Scenario
    from lab.topology.site import Site


def scenarios() -> dict[str, Scenario[Any]]:
    """Every scenario by name, in the order of their packages' names."""
    modules = [
        f"{package.__name__}.{entry.name}.scenario" for entry in pkgutil.iter_modules(package.__path__) if entry.ispkg
    ]
    found: list[Scenario[Any]] = [import_module(module).SCENARIO for module in modules if find_spec(module)]
    return {scenario.name: scenario for scenario in found}


def scenario(name: str) -> Scenario[Any]:
    """The scenario of a name.

    Raises:
        UsageError: there is none.
    """
    known = scenarios()
    if name not in known:
        raise UsageError(f"There is no scenario {name!r}.", remedy=f"There are: {', '.join(known)}.")
    return known[name]


def fitting(site: Site, *, at_length: bool = False) -> list[Scenario[Any]]:
    """The scenarios that a site is for: it has every function that they ask for, and none that they exclude.

    Those that take minutes are among them with ``at_length`` only.

    Raises:
        UsageError: it is for none.
    """
    known = scenarios()
    found = [
        scenario for scenario in known.values() if not scenario.unfit(site) and (at_length or not scenario.at_length)
    ]
    if not found:
        reasons = "; ".join(f"{scenario.name}: {', '.join(scenario.unfit(site))}" for scenario in known.values())
        raise UsageError(
            f"Site {site.name} is for no scenario: {reasons}.", remedy="State the functions at hosts of topology.yml."
        )
    return found
