"""The deeds that there are: modules of ``abuses/``, found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from lab.scenarios.monitoring import abuses as package

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.scenarios.monitoring.deed import Deed


def deeds() -> Iterator[Deed]:
    """Every deed, in the order of its module's name."""
    for module in pkgutil.iter_modules(package.__path__):
        yield from import_module(f"{package.__name__}.{module.name}").DEEDS
