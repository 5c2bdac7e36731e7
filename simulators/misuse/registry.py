"""The cases that there are: modules of ``simulators/misuse/cases/``, found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from simulators.misuse import cases as package

if TYPE_CHECKING:
    from simulators.misuse.case import Case


def cases(name: str = "") -> dict[str, Case]:
    """Every case that has the first word of a name, or every case where none has it, by name."""
    modules = [module.name for module in pkgutil.iter_modules(package.__path__)]
    word = name.split("-", maxsplit=1)[0]
    wanted = [module for module in modules if module.split("_", maxsplit=1)[0] == word] or modules
    found: list[Case] = []
    for module in wanted:
        found += import_module(f"{package.__name__}.{module}").CASES
    return {case.name: case for case in found}
