"""Which numbers of each sender's run have come: what is new, what came before, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, field

MOST_GAPS = 1_000
"""Of a run; a sender that leaves out more is not heard on."""


class TooManyGapsError(ValueError):
    """A sender leaves out numbers again and again."""


@dataclass(frozen=True)
class Gap:
    """Numbers of a run that had not come when a higher one did."""

    host: str
    run: bytes
    first: int
    last: int


@dataclass
class _Run:
    last: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)
    """First and last of what is missing, in order."""


class Progress:
    """What has come, of all senders."""

    def __init__(self) -> None:
        """Know of nothing."""
        self._runs: dict[tuple[str, bytes], _Run] = {}

    def restore(self, host: str, run: bytes, last: int) -> None:
        """Note how far a run has come."""
        self._runs.setdefault((host, run), _Run()).last = last

    def restore_gap(self, gap: Gap) -> None:
        """Note what is missing of a run."""
        known = self._runs.setdefault((gap.host, gap.run), _Run())
        known.missing = sorted([*known.missing, (gap.first, gap.last)])

    def restore_late(self, host: str, run: bytes, number: int) -> None:
        """Note that something missing has come."""
        self._fill(self._runs.setdefault((host, run), _Run()), number)

    def last(self, host: str, run: bytes) -> int:
        """Return the highest number of a run that has come."""
        known = self._runs.get((host, run))
        return known.last if known else 0

    def take(self, host: str, run: bytes, number: int) -> tuple[bool, bool, Gap | None]:
        """Note that a number has come.

        Returns:
            Whether it is new, whether it was missing before, and what is missing from now on.

        Raises:
            TooManyGapsError: it leaves out numbers once too often; it was not noted.
        """
        known = self._runs.get((host, run))
        if known is None:
            known = self._runs[host, run] = _Run()
        if number == known.last + 1:
            known.last = number
            return True, False, None
        if number > known.last:
            if len(known.missing) >= MOST_GAPS:
                raise TooManyGapsError
            gap = Gap(host, run, known.last + 1, number - 1)
            known.missing.append((gap.first, gap.last))
            known.last = number
            return True, False, gap
        return (True, True, None) if self._fill(known, number) else (False, False, None)

    @staticmethod
    def _fill(known: _Run, number: int) -> bool:
        """Take a number out of what is missing; tell whether it was."""
        for place, (first, last) in enumerate(known.missing):
            if first <= number <= last:
                rest = [(first, number - 1), (number + 1, last)]
                known.missing[place : place + 1] = [part for part in rest if part[0] <= part[1]]
                return True
        return False

    @property
    def missing(self) -> list[Gap]:
        """What is missing by now."""
        return [
            Gap(host, run, first, last) for (host, run), known in self._runs.items() for first, last in known.missing
        ]
