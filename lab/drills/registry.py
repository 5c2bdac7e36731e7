"""The drills that there are: modules of ``lab/drills/cases/``, found by being there."""

from __future__ import annotations

import pkgutil
import re
from importlib import import_module
from typing import TYPE_CHECKING

from lab.drills import cases as package
from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.drills.model import Drill


def drills() -> dict[str, Drill]:
    """Every drill by id, in the order of their modules' names."""
    found: list[Drill] = []
    for module in pkgutil.iter_modules(package.__path__):
        found += import_module(f"{package.__name__}.{module.name}").DRILLS
    return {drill.id: drill for drill in found}


def chosen(names: Sequence[str]) -> list[Drill]:
    """The drills of these ids, with or without their first word; without names, all.

    Raises:
        UsageError: there is no drill of a name.
    """
    known = drills()
    wanted = [name if name.startswith("drill.") else f"drill.{name}" for name in names]
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UsageError(
            f"There is no drill {unknown[0]!r}.",
            remedy=f"There are: {', '.join(known)}; `pacslab drill list` explains.",
        )
    return [known[name] for name in dict.fromkeys(wanted)] or list(known.values())


def sized(wanted: Sequence[Drill], words: Sequence[str]) -> dict[str, int]:
    """The sizes that words such as ``orders=20`` name, of drills that have them.

    Raises:
        UsageError: a word is none, or no drill that is wanted has such a size.
    """
    known = {name for drill in wanted for name in drill.sizes}
    sizes = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in known:
            raise UsageError(
                f"No drill that is wanted has a size {name!r}.",
                remedy=f"There are: {', '.join(sorted(known))}." if known else "`pacslab drill list` shows them.",
            )
        if not re.fullmatch(r"[1-9][0-9]{0,5}", number):
            raise UsageError(f"{word!r} is no size.", remedy=f"Give {name} a number from 1 to 999999: {name}=20.")
        sizes[name] = int(number)
    return sizes
