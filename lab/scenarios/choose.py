"""Which steps of a scenario are run: all, some with what they need, or those until one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.scenarios.model import Scenario, Step

Facts = TypeVar("Facts")


def chosen(scenario: Scenario[Facts], *, only: Sequence[str] = (), until: str | None = None) -> list[Step[Facts]]:
    """The steps to run, in the scenario's order.

    Args:
        scenario: whose steps.
        only: run these, with what they need and what those need; none for all.
        until: run every step up to this one, which is the last.

    Raises:
        UsageError: a step has no such id, or both are given.
    """
    if only and until:
        raise UsageError("--only and --until cannot be used together.", remedy="Use one of the two.")
    known = {step.id: step for step in scenario.steps}
    for name in [*only, *([until] if until else [])]:
        if name not in known:
            raise UsageError(
                f"Scenario {scenario.name} has no step {name!r}.",
                remedy=f"Its steps: {', '.join(known)}; `pacslab scenario steps {scenario.name}` explains them.",
            )
    if until:
        return list(scenario.steps[: list(known).index(until) + 1])
    wanted = set(only) or set(known)
    for step in reversed(scenario.steps):  # needs are earlier steps, so one pass from the end finds all
        if step.id in wanted:
            wanted.update(step.needs)
    return [step for step in scenario.steps if step.id in wanted]
