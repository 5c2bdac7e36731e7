"""How a hardening check says what it expects, so that a result can name both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MOST = 12
"""Entries of a list that are named; of a longer one the number is told too."""


class NotKeptError(AssertionError):
    """What was expected was not observed."""


class NothingToJudgeError(Exception):
    """There is nothing of the kind on this host."""


class Expect:
    """Compares, and remembers what was compared; the first difference ends the check."""

    def __init__(self) -> None:
        """Nothing is expected yet."""
        self.expected: list[str] = []
        self.observed: list[str] = []

    def equal(self, expected: Any, observed: Any, what: str = "") -> None:
        """Both are the same; ``what`` names what was compared."""
        self._note(_named(what, expected), _named(what, observed), kept=bool(expected == observed))

    def none(self, found: Iterable[Any], what: str) -> None:
        """Nothing was found; ``what`` names the kind, in the plural."""
        listed = list(found)
        self._note(f"no {what}", _listed(listed) if listed else f"no {what}", kept=not listed)

    def only(self, allowed: Collection[Any], found: Iterable[Any], what: str) -> None:
        """Nothing was found but what is allowed."""
        more = [entry for entry in found if entry not in allowed]
        text = f"no {what} but {_listed(sorted(allowed, key=str))}" if allowed else f"no {what}"
        self._note(text, f"also {_listed(more)}" if more else "nothing else", kept=not more)

    def all_of(self, needed: Iterable[Any], found: Collection[Any], what: str) -> None:
        """Everything that is needed was found."""
        missing = [entry for entry in needed if entry not in found]
        self._note(
            f"all {what}: {_listed(list(needed))}",
            f"missing: {_listed(missing)}" if missing else "all",
            kept=not missing,
        )

    def that(self, kept: bool, expected: str, observed: str) -> None:  # noqa: FBT001 # it is what the sentence begins with
        """A condition holds; both sides in words."""
        self._note(expected, observed, kept=bool(kept))

    def mode_at_most(self, most: int, found: int) -> None:
        """A file's mode gives nobody more than another mode does; its type is left out."""
        mode = found & 0o7777
        self._note(f"mode {most:04o} at most", f"mode {mode:04o}", kept=mode & ~most == 0)

    def some(self, found: Collection[Any], what: str) -> None:
        """There is something to judge: what follows is not about nothing.

        Raises:
            NotKeptError: there is nothing.
        """
        if not found:
            self._note(f"some {what}", "none", kept=False)

    def _note(self, expected: str, observed: str, *, kept: bool) -> None:
        if not kept:
            self.expected, self.observed = [expected], [observed]
            raise NotKeptError(f"expected {expected}; observed {observed}")
        self.expected.append(expected)
        self.observed.append(observed)


def not_applicable(reason: str) -> None:
    """End the check: there is nothing here to judge.

    Raises:
        NothingToJudgeError: always.
    """
    raise NothingToJudgeError(reason)


def _named(what: str, value: Any) -> str:
    text = _listed(list(value)) if isinstance(value, list | tuple | set | frozenset) else str(value)
    return f"{what} {text}" if what else text


def _listed(entries: list[Any]) -> str:
    if not entries:
        return "nothing"
    shown = ", ".join(str(entry) for entry in entries[:MOST])
    return shown if len(entries) <= MOST else f"{shown} and {len(entries) - MOST} more"
