"""Which promises nothing proves able to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.verify.registry import checks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.topology.site import Site


def unproven(sites: Sequence[Site]) -> list[str]:
    """The ids of promises that no check's change on any of these sites is about: not every site makes each."""
    unproven_ids = []
    for check in checks().values():
        if not check.proves_itself:
            proven = {change.promise for site in sites for change in check.mutations(site)}
            unproven_ids += [promise.id for promise in check.promises if promise.id not in proven]
    return unproven_ids
