"""A host whose limit of memory is higher than described, or gone, is seen; so is what takes it away for a trial."""

from __future__ import annotations

from typing import Any, cast

import pytest

from lab.engine.execute import Completed
from lab.engine.memory import MEGABYTE
from lab.results.model import Outcome
from lab.verify.memory import judge_memory, mutations
from tests.unit.site_builder import committed_site

SITE = committed_site("reference")
MOST = SITE.memory("guest1").most


class Engine:
    """Stands in for a lab and its engine: a host with a limit."""

    site = SITE

    def __init__(self, limit: str) -> None:
        """Have this limit in force."""
        self.limit = limit
        self.docker = self

    def container(self, host: str) -> str:
        """Its container."""
        return f"pacslab-x-{host}"

    def run(self, _: str, argv: list[str]) -> Completed:
        """Tell the limit."""
        assert "memory.max" in argv[-1]
        return Completed(0, f"{self.limit}\n", "")

    def call(self, method: str, path: str, *, body: dict[str, Any]) -> None:
        """Change it."""
        assert (method, path) == ("POST", "/containers/pacslab-x-ca1/update")
        self.limit = str(body["Memory"])


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [
        (str(MOST * MEGABYTE), Outcome.PASSED),
        (str(MOST * MEGABYTE + 1), Outcome.FAILED),
        ("max", Outcome.FAILED),
        ("9223372036854771712", Outcome.FAILED),
        ("", Outcome.FAILED),
    ],
)
def test_the_limit_in_force_is_compared_with_what_the_roles_may_take(limit: str, outcome: Outcome) -> None:
    (result,) = judge_memory(cast("Any", Engine(limit)), ["guest1"])
    assert result.outcome is outcome


def test_the_sabotage_raises_a_limit_and_puts_it_back() -> None:
    (mutation,) = mutations(SITE)
    assert (mutation.promise, mutation.host) == ("containment.memory", "ca1")
    lab = Engine(str(SITE.memory("ca1").most * MEGABYTE))
    before = lab.limit
    undo = mutation.make(cast("Any", lab))
    (caught,) = judge_memory(cast("Any", lab), ["ca1"])
    assert caught.outcome is Outcome.FAILED
    undo()
    assert lab.limit == before
