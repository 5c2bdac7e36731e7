"""The order in which roles are configured, from what each says of others (``after``)."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.topology.role import Catalog


def play_order(catalog: Catalog) -> list[str]:
    """Return every role, each behind those that it comes after; roles that may stand in any order stand by name.

    Raises:
        graphlib.CycleError: roles come after each other in a circle, which reading the catalogue reports.
    """
    sorter = _sorter(catalog)
    sorter.prepare()
    found: list[str] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found += ready
        sorter.done(*ready)
    return found


def circle(catalog: Catalog) -> list[str]:
    """Return roles that come after each other in a circle, the first again at the end; nothing where there is none."""
    try:
        _sorter(catalog).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def _sorter(catalog: Catalog) -> TopologicalSorter[str]:
    return TopologicalSorter(
        {role: [former for former in meta.after if former in catalog] for role, meta in catalog.items()}
    )
