"""Mistakes in a description: where each one is, what it is, and what to do about it."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from lab.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

LONG_LIST = 12
"""More words than this are not worth reading when it is clear which one was meant."""


@dataclass(frozen=True, order=True)
class Problem:
    """One mistake. ``line`` counts from 1; it is 0 where the mistake is the whole file."""

    path: Path
    line: int
    message: str
    remedy: str

    @property
    def place(self) -> str:
        """``file:line``, relative to the working directory where that is shorter."""
        path = self.path.absolute()
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        return f"{shown}:{self.line}" if self.line else str(shown)

    def __str__(self) -> str:
        """Say the mistake as a compiler would, so that editors can jump to it."""
        return f"{self.place}: {self.message}\n    {self.remedy}"


class MistakesError(UsageError):
    """Files that people write cannot be used as they are. ``problems`` has every mistake, in the order of the files."""

    exit_code = 2
    subject: ClassVar = "what was written"
    """Where the mistakes are, as the heading says it."""
    advice: ClassVar = "Correct what is listed."

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep each problem once."""
        self.problems = sorted(set(problems))
        count = "1 mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        super().__init__("\n".join([f"{count} in {self.subject}:", *map(str, self.problems)]), remedy=self.advice)

    def as_dict(self) -> dict[str, object]:
        """Return the error as ``--json`` prints it, one entry for each mistake."""
        problems = [
            {"file": str(problem.path), "line": problem.line, "message": problem.message, "remedy": problem.remedy}
            for problem in self.problems
        ]
        return {**super().as_dict(), "problems": problems}


class TopologyError(MistakesError):
    """A site cannot be used as it is written. ``problems`` holds every mistake found, in the order of the file."""

    subject: ClassVar = "the site's description"
    advice: ClassVar = "Correct what is listed; nothing was started."


def nearest(wrong: object, known: Iterable[str]) -> str | None:
    """Return the known word that was probably meant, or None."""
    candidates = sorted(known)
    close = difflib.get_close_matches(str(wrong), candidates, n=1, cutoff=0.6)
    if close:
        return close[0]
    folded = str(wrong).lower().replace("_", "-")
    return next((word for word in candidates if word.lower().replace("_", "-") == folded), None)


def choose(wrong: object, known: Iterable[str], what: str) -> str:
    """Phrase a remedy for a word that is not known: what was probably meant, and what there is, when that is short."""
    words = sorted(known)
    meant = nearest(wrong, words)
    if meant and len(words) > LONG_LIST:
        return f"Did you mean {meant}?"
    guess = f"Did you mean {meant}? " if meant else ""
    return f"{guess}{what}: {', '.join(words) or 'none'}."
