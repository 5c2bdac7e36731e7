"""The checks that there are: modules of ``lab/verify/checks/``, found by being there."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

from lab.errors import UsageError
from lab.verify import checks as package

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.verify.check import Check


def checks() -> dict[str, Check]:
    """Every check by name, in the order of their modules' names."""
    found = [
        import_module(f"{package.__name__}.{module.name}").CHECK for module in pkgutil.iter_modules(package.__path__)
    ]
    return {check.name: check for check in found}


def chosen(names: Sequence[str]) -> list[Check]:
    """The checks of these names; without names, all that leave the lab as it is.

    Raises:
        UsageError: there is no check of a name.
    """
    known = checks()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"There is no check {unknown[0]!r}.",
            remedy=f"There are: {', '.join(known)}; `pacslab verify list` explains.",
        )
    return [known[name] for name in dict.fromkeys(names)] or [
        check for check in known.values() if not check.changes_lab
    ]
