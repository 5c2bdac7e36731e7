"""The abuse cases that there are: modules of ``lab/abuse/cases/``, found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from lab.abuse import cases as package

if TYPE_CHECKING:
    from lab.abuse.model import AbuseCase


def cases() -> dict[str, AbuseCase]:
    """Every case by id, in the order of their modules' names."""
    found: list[AbuseCase] = []
    for module in pkgutil.iter_modules(package.__path__):
        found += import_module(f"{package.__name__}.{module.name}").CASES
    return {case.id: case for case in found}
