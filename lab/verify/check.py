"""What a check is: promises, and what judges them on a lab."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from lab.results.model import Promise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from lab.engine.lab import Lab
    from lab.results.model import Result
    from lab.topology.site import Site
    from lab.verify.connection.channel import Way
    from lab.verify.mutation import Mutation


@dataclass(frozen=True)
class Context:
    """What a check is run with.

    Attributes:
        lab: The running lab.
        say: Told what is going on, one line at a time.
        hosts: The hosts to judge; empty for all.
        ids: Patterns of the results that are wanted, such as ``hardening.tls.*``; empty for all.
        snapshot: The snapshot that a check which needs a clone of the lab makes it from; without one it makes its own.
        ways: How hosts are reached that are no containers of a lab, by name; empty for a lab's own.
    """

    lab: Lab
    say: Callable[[str], None]
    hosts: frozenset[str] = frozenset()
    ids: tuple[str, ...] = ()
    snapshot: str | None = None
    ways: Mapping[str, Way] = field(default_factory=dict)

    def wants_host(self, *hosts: str) -> bool:
        """Whether one of these hosts is to be judged."""
        return not self.hosts or not self.hosts.isdisjoint(hosts)

    def wants(self, promise: Promise) -> bool:
        """Whether a promise is to be judged."""
        return not self.ids or any(fnmatchcase(promise.id, pattern) for pattern in self.ids)


@dataclass(frozen=True)
class Check:
    """Judges promises about a running lab.

    A module of ``lab/verify/checks/`` that has one as ``CHECK`` is found by being there.

    Attributes:
        name: What ``pacslab verify`` calls it; the first word of its promises' ids.
        summary: What it judges, in one line.
        promises: Everything that it can judge.
        judge: Yields results as they come; leaves out what the context does not want. A ``PacslabError`` means that
            it could not go on.
        tally: Further keys of ``--json``, from the results.
        files: Where its promises are written, where that is not its own module.
        proves_itself: True where every judgement is made twice, with and without what is judged.
        mutations: What the check must catch, on a site: at least one for every promise.
        changes_lab: True where judging changes the lab for a while, so that it runs only when it is named.
    """

    name: str
    summary: str
    promises: tuple[Promise, ...]
    judge: Callable[[Context], Iterable[Result]] = field(repr=False, compare=False)
    changes_lab: bool = False
    tally: Callable[[Sequence[Result]], Mapping[str, Any]] = field(default=lambda _: {}, repr=False, compare=False)
    files: tuple[Path, ...] = ()
    proves_itself: bool = False
    mutations: Callable[[Site], Iterable[Mutation]] = field(default=lambda _: (), repr=False, compare=False)

    @property
    def completes(self) -> Promise:
        """The promise that every check makes besides: that it ran to its end."""
        return Promise(f"{self.name}.completes", f"The check {self.name} runs to its end.")
